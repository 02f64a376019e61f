"""Signing in to the admin."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.exceptions import InvalidCredentials, PermissionRefused
from authentication.models import AuditLog, User
from authentication.services.sign_in.credentials import Authenticated
from authentication.services.sign_in.credentials import authenticate as prove
from authentication.tests.clients import NOON, WRONG_PASSWORD, set_password
from authentication.tests.conftest import CHROME, forget_cached
from authentication.tests.factories import PASSWORD, UserFactory

from .staff import (
    ADMIN_COOKIE,
    ADMIN_LOGIN,
    admin_login,
    api_login_status,
    assert_login_refused,
    error_note,
)

pytestmark = pytest.mark.django_db


class TestSignIn:
    @pytest.mark.parametrize(
        "typed",
        ["boss@example.org", "BOSS@Example.org", " boss@example.org", "boss", "BOSS"],
    )
    def test_staff_sign_in_by_email_address_or_username(
        self, client: Client, superuser: User, typed: str
    ) -> None:
        answer = admin_login(client, typed)

        assert (answer.status_code, answer["Location"]) == (302, "/admin/")
        assert client.get("/admin/").status_code == 200

    def test_the_session_cookie_is_limited_to_the_admin_and_eight_hours(
        self, client: Client, superuser: User
    ) -> None:
        cookie = admin_login(client, superuser.email).cookies[ADMIN_COOKIE]

        names = ("path", "httponly", "samesite", "max-age", "domain", "secure")
        assert {name: cookie[name] for name in names} == {
            "path": "/admin/",
            "httponly": True,
            "samesite": "Lax",
            "max-age": pytest.approx(8 * 60 * 60, abs=2),
            "domain": "",
            "secure": "",
        }

    def test_a_sign_in_sets_no_token_cookie(self, client: Client, superuser: User) -> None:
        answer = admin_login(client, superuser.email)

        assert set(answer.cookies) == {ADMIN_COOKIE, "csrftoken", "device"}

    def test_a_sign_in_is_audited_once_with_its_client(
        self, client: Client, superuser: User
    ) -> None:
        answer = admin_login(
            client, superuser.email, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4"
        )

        row = AuditLog.objects.get()
        assert (row.event_type, row.user, row.success, row.risk_level) == (
            "admin_login",
            superuser,
            True,
            "medium",
        )
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]

    def test_a_session_ends_after_eight_hours_despite_activity(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        admin_login(client, superuser.email)

        time_machine.shift(dt.timedelta(hours=7, minutes=59))
        before = client.get("/admin/")
        time_machine.shift(dt.timedelta(minutes=2))
        # Redis would expire its copy of the session by its own clock.
        forget_cached()
        after = client.get("/admin/")

        assert (before.status_code, after.status_code) == (200, 302)
        assert after["Location"].startswith(ADMIN_LOGIN)

    def test_a_session_is_invalid_after_sign_out(self, client: Client, superuser: User) -> None:
        first = admin_login(client, superuser.email).cookies[ADMIN_COOKIE].value
        client.post("/admin/logout/")
        client.cookies[ADMIN_COOKIE] = first

        assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
    ],
)
def test_a_sign_in_redirects_only_within_the_service(
    client: Client, superuser: User, target: str
) -> None:
    answer = client.post(
        ADMIN_LOGIN, {"username": superuser.email, "password": PASSWORD, "next": target}
    )

    assert answer.status_code == 302
    assert re.match(r"/(?!/)", answer["Location"])
    assert "evil" not in answer["Location"]
    assert "javascript" not in answer["Location"]


class TestRefusals:
    def test_an_unknown_name_and_a_wrong_password_are_refused_alike(
        self, client: Client, superuser: User
    ) -> None:
        wrong, unknown = (
            admin_login(client, superuser.email, WRONG_PASSWORD),
            admin_login(client, "nobody@example.org", WRONG_PASSWORD),
        )

        assert_login_refused(wrong, InvalidCredentials.detail)
        assert_login_refused(unknown, InvalidCredentials.detail)
        assert AuditLog.objects.filter(event_type="login_failed").count() == 2

    def test_users_who_are_not_staff_are_refused(self, client: Client, person: User) -> None:
        right, wrong = (
            admin_login(client, person.email),
            admin_login(client, person.email, WRONG_PASSWORD),
        )

        assert_login_refused(right, PermissionRefused.detail)
        assert_login_refused(wrong, InvalidCredentials.detail)
        assert AuditLog.objects.get(event_type="admin_login_refused").user == person

    def test_a_right_password_of_a_user_who_is_not_staff_is_not_counted(
        self, client: Client, api: APIClient, person: User
    ) -> None:
        for _ in range(6):
            assert_login_refused(admin_login(client, person.email), PermissionRefused.detail)

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)
        assert api_login_status(api, person) == 200

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            (
                {"email_verified": False, "email_verified_at": None},
                "Please confirm your email address first",
            ),
            ({"is_active": False}, "This account is disabled"),
        ],
        ids=["unverified", "disabled"],
    )
    @pytest.mark.parametrize("superuser", [True, False])
    def test_staff_who_cannot_sign_in_to_the_api_are_refused(
        self, client: Client, db: None, fields: dict[str, Any], why: str, *, superuser: bool
    ) -> None:
        user = UserFactory(is_staff=True, is_superuser=superuser, **fields)

        right, wrong = (
            admin_login(client, user.email),
            admin_login(client, user.email, WRONG_PASSWORD),
        )

        assert why in error_note(right)
        assert_login_refused(wrong, InvalidCredentials.detail)

    @pytest.mark.parametrize(
        "password", [" Correct-Horse-9", "Correct-Horse-9 ", "correct-horse-9", "", "x" * 5000]
    )
    def test_a_password_with_other_blanks_or_case_is_refused(
        self, client: Client, superuser: User, password: str
    ) -> None:
        answer = admin_login(client, superuser.email, password)

        assert answer.status_code == 200
        assert not Session.objects.exists()

    def test_blanks_are_part_of_a_password(self, client: Client) -> None:
        user = UserFactory(is_staff=True, is_superuser=True, password=" Correct-Horse-9  ")

        assert admin_login(client, user.email, " Correct-Horse-9").status_code == 200
        assert admin_login(client, user.email, " Correct-Horse-9  ").status_code == 302

    def test_a_password_changed_during_the_sign_in_refuses_it(
        self, client: Client, superuser: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def prove_and_change_password(**credentials: Any) -> Authenticated:
            authenticated = prove(**credentials)
            set_password(User.objects.get(pk=superuser.pk))
            return authenticated

        monkeypatch.setattr(
            "authentication.services.sign_in.authentication.authenticate", prove_and_change_password
        )

        answer = admin_login(client, superuser.email)

        assert_login_refused(answer, InvalidCredentials.detail)

    @pytest.mark.parametrize(
        "identifier", ["\x00", "a\x00b", "\u202eboss", "x" * 5000, "' OR 1=1 --"], ids=ascii
    )
    def test_malformed_names_are_refused(
        self, client: Client, superuser: User, identifier: str
    ) -> None:
        assert admin_login(client, identifier, WRONG_PASSWORD).status_code == 200
        assert not Session.objects.exists()
