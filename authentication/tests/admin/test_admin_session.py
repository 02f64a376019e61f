"""CSRF tokens of the admin, and what its session opens."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.clients import (
    EVIL,
    NEW_PASSWORD,
    Tokens,
    hidden_fields,
    log_in,
    set_password,
)
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD

from .staff import ADMIN_LOGIN, USERS, ClientOf, MakeStaff, admin_login

pytestmark = pytest.mark.django_db


class TestCsrf:
    @pytest.fixture
    def strict(self) -> Client:
        return Client(enforce_csrf_checks=True)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://testserver"},
            {"X-CSRFToken": "x" * 32},
        ],
    )
    def test_a_sign_in_without_a_csrf_token_is_refused(
        self, strict: Client, superuser: User, headers: dict[str, str]
    ) -> None:
        strict.get(ADMIN_LOGIN)

        answer = admin_login(strict, superuser.email, headers=headers)

        assert answer.status_code == 403
        assert not Session.objects.exists()
        assert not AuditLog.objects.exists()

    @pytest.mark.parametrize(("origin", "status"), [("http://testserver", 302), (EVIL, 403)])
    def test_a_csrf_token_works_only_from_our_origin(
        self, strict: Client, superuser: User, origin: str, status: int
    ) -> None:
        token = hidden_fields(strict.get(ADMIN_LOGIN))["csrfmiddlewaretoken"]
        form = {
            "username": superuser.email,
            "password": PASSWORD,
            "csrfmiddlewaretoken": token,
        }

        answer = strict.post(ADMIN_LOGIN, {**form, "next": "/admin/"}, headers={"Origin": origin})

        assert answer.status_code == status

    def test_an_action_without_a_csrf_token_is_refused(
        self, strict: Client, superuser: User, person: User
    ) -> None:
        strict.force_login(superuser)

        answer = strict.post(
            USERS,
            {"action": "disable", "_selected_action": [str(person.pk)]},
        )

        person.refresh_from_db()
        assert answer.status_code == 403
        assert person.is_active


class TestAdminSession:
    @pytest.mark.parametrize("path", ["/admin/password_change/", "/admin/password_change/done/"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_the_admin_has_no_password_change_page(
        self, client_of: ClientOf, superuser: User, path: str, method: str
    ) -> None:
        typed = {
            "old_password": PASSWORD,
            "new_password1": NEW_PASSWORD,
            "new_password2": NEW_PASSWORD,
        }

        answer = getattr(client_of(superuser), method)(path, typed)

        superuser.refresh_from_db()
        assert answer.status_code == 404
        assert superuser.check_password(PASSWORD)

    def test_the_admin_links_to_no_password_change_page(
        self, client_of: ClientOf, superuser: User
    ) -> None:
        assert "password_change" not in client_of(superuser).get("/admin/").content.decode()

    def test_a_password_change_ends_the_admin_session(
        self, client_of: ClientOf, superuser: User
    ) -> None:
        client = client_of(superuser)
        assert client.get("/admin/").status_code == 200

        set_password(superuser)

        assert client.get("/admin/").status_code == 302

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
    def test_a_user_who_is_disabled_or_no_longer_staff_is_signed_out(
        self, client_of: ClientOf, superuser: User, change: dict[str, bool]
    ) -> None:
        client = client_of(superuser)

        User.objects.filter(pk=superuser.pk).update(**change)

        assert client.get(USERS).status_code == 302

    def test_tokens_of_the_api_do_not_open_the_admin(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        tokens: Tokens = log_in(api, superuser).json()
        client.cookies["refresh_token"] = tokens["refresh"]

        answer = client.get("/admin/", headers=bearer(tokens["access"]))

        assert answer.status_code == 302

    def test_an_admin_session_does_not_authenticate_at_the_api(
        self, client_of: ClientOf, superuser: User
    ) -> None:
        client = client_of(superuser)

        assert client.get(ME).status_code == 401
        assert client.get(f"{API}/sessions/").status_code == 401

    def test_staff_without_permissions_see_no_table(
        self, client_of: ClientOf, make_staff: MakeStaff
    ) -> None:
        client = client_of(make_staff())

        assert client.get("/admin/").status_code == 200
        assert client.get(USERS).status_code == 403

    def test_signing_out_needs_a_post_request(self, client_of: ClientOf, superuser: User) -> None:
        client = client_of(superuser)

        assert client.get("/admin/logout/").status_code == 405
        assert client.post("/admin/logout/").status_code == 200
        assert client.get("/admin/").status_code == 302
