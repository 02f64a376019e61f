"""/admin/login/ with a second factor."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import CodeInvalid, InvalidCredentials, MfaRequired, RateLimited
from authentication.models import AuditLog, RecoveryCode, User
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, Factor, give_factor

from .test_admin_login import WRONG, assert_refused, enter

SET_UP_FIRST = "Please set up two-step sign-in first. The admin is closed without it."

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(superuser: User) -> Factor:
    """Return the second factor of the superuser."""
    return give_factor(superuser)


def test_the_form_has_a_field_for_the_code(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()

    assert 'name="otp"' in page
    assert 'autocomplete="one-time-code"' in page


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_staff_who_have_one_come_in_with_it(
    client: Client, superuser: User, app: Factor, kind: str
) -> None:
    code = app.code() if kind == "app" else app.recovery_codes[0]

    answer = client.post(
        "/admin/login/", {"username": "boss", "password": PASSWORD, "otp": code, "next": "/admin/"}
    )

    assert (answer.status_code, client.get("/admin/").status_code) == (302, 200)
    assert AuditLog.objects.filter(event_type="admin_login").count() == 1


@pytest.mark.parametrize("required", [True, False])
def test_staff_who_have_one_do_not_come_in_without_it(
    client: Client, superuser: User, app: Factor, settings: Settings, *, required: bool
) -> None:
    settings.ADMIN_REQUIRE_OTP = required

    assert_refused(enter(client, "boss"), MfaRequired.detail)
    assert_refused(with_code(client, app.code(steps=9)), CodeInvalid.detail)
    assert_refused(enter(client, "boss", WRONG), InvalidCredentials.detail)


def with_code(client: Client, code: str) -> Any:
    return client.post(
        "/admin/login/", {"username": "boss", "password": PASSWORD, "otp": code, "next": "/admin/"}
    )


def test_a_code_is_good_once_at_both_doors_together(
    client: Client, api: APIClient, superuser: User, app: Factor
) -> None:
    code = app.code()
    sign_in(api, superuser, otp=code)

    assert_refused(with_code(client, code), CodeInvalid.detail)


def test_wrong_codes_are_counted_at_both_doors_together(
    client: Client, api: APIClient, superuser: User, app: Factor
) -> None:
    for _ in range(5):
        with_code(client, app.code(steps=9))
        api.post(
            f"{API}/login/",
            {"email": superuser.email, "password": PASSWORD, "otp": app.code(steps=9)},
        )

    assert_refused(with_code(client, app.code()), RateLimited.detail)


class TestWhereItIsRequired:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.ADMIN_REQUIRE_OTP = True

    def test_staff_who_have_none_stay_out(self, client: Client, superuser: User) -> None:
        for _ in range(6):
            assert_refused(enter(client, "boss"), SET_UP_FIRST)

        assert AuditLog.objects.filter(event_type="admin_login_refused").count() == 6
        superuser.refresh_from_db()
        assert superuser.failed_login_attempts == 0

    def test_a_desk_from_before_is_closed(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        settings.ADMIN_REQUIRE_OTP = False
        enter(client, "boss")
        assert client.get("/admin/").status_code == 200
        settings.ADMIN_REQUIRE_OTP = True

        assert client.get("/admin/").status_code == 302

    def test_staff_who_have_one_come_in(self, client: Client, superuser: User, app: Factor) -> None:
        assert with_code(client, app.code()).status_code == 302
        assert client.get("/admin/").status_code == 200


def test_a_desk_opened_without_it_is_closed_when_one_is_set_up(
    client: Client, superuser: User
) -> None:
    enter(client, "boss")
    assert client.get("/admin/").status_code == 200

    give_factor(superuser)

    assert client.get("/admin/").status_code == 302


def test_giving_it_up_closes_the_desk(
    client: Client, api: APIClient, superuser: User, app: Factor
) -> None:
    tokens = sign_in(api, superuser, otp=app.recovery_codes[0])
    with_code(client, app.code())

    assert api.post(f"{API}/2fa/disable/", headers=bearer(tokens["access"])).status_code == 200

    assert client.get("/admin/").status_code == 302


def test_djangos_own_way_takes_no_password_alone(superuser: User, app: Factor) -> None:
    assert authenticate(username="boss", password=PASSWORD) is None
    assert authenticate(username="boss", password=PASSWORD, otp=app.code(steps=9)) is None
    assert authenticate(username="boss", password=PASSWORD, otp=app.code()) == superuser


def test_the_desk_shows_neither_seeds_nor_codes(
    client: Client, superuser: User, app: Factor
) -> None:
    with_code(client, app.code())
    page = client.get(f"/admin/authentication/user/{superuser.pk}/change/").content.decode()

    digests = RecoveryCode.objects.values_list("digest", flat=True)
    assert "Second factor at" in page
    assert [it for it in (*app.recovery_codes, *digests, app.seed.hex()) if it in page] == []
