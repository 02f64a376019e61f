"""/admin/login/ with a second factor."""

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import CodeInvalid, InvalidCredentials, MfaRequired, RateLimited
from authentication.models import AuditLog, RecoveryCode, User
from authentication.tests.clients import WRONG_PASSWORD, log_in, post_as, sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, Factor, give_factor

from .staff import ADMIN_LOGIN, ENROLMENT, USERS, admin_login, assert_login_refused

pytestmark = pytest.mark.django_db


def with_code(client: Client, code: str) -> Any:
    """Return the answer to a sign-in of the superuser with a code."""
    return admin_login(client, "boss", otp=code)


@pytest.fixture
def factor(superuser: User) -> Factor:
    """Return the second factor of the superuser."""
    return give_factor(superuser)


def test_the_form_has_a_field_for_the_code(client: Client) -> None:
    page = client.get(ADMIN_LOGIN).content.decode()

    assert 'name="otp"' in page
    assert 'autocomplete="one-time-code"' in page


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_staff_with_a_second_factor_sign_in_with_a_code(
    client: Client, superuser: User, factor: Factor, kind: str
) -> None:
    code = factor.code() if kind == "totp" else factor.recovery_codes[0]

    answer = with_code(client, code)

    assert (answer.status_code, client.get("/admin/").status_code) == (302, 200)
    assert AuditLog.objects.filter(event_type="admin_login").count() == 1


@pytest.mark.parametrize("required", [True, False])
def test_staff_with_a_second_factor_are_refused_without_a_code(
    client: Client, superuser: User, factor: Factor, settings: Settings, *, required: bool
) -> None:
    settings.ADMIN_REQUIRE_OTP = required

    assert_login_refused(admin_login(client, "boss"), MfaRequired.detail)
    assert_login_refused(with_code(client, factor.code(steps=9)), CodeInvalid.detail)
    assert_login_refused(admin_login(client, "boss", WRONG_PASSWORD), InvalidCredentials.detail)


def test_a_code_used_at_the_api_is_refused_in_the_admin(
    client: Client, api: APIClient, superuser: User, factor: Factor
) -> None:
    code = factor.code()
    sign_in(api, superuser, otp=code)

    assert_login_refused(with_code(client, code), CodeInvalid.detail)


def test_wrong_codes_in_the_admin_and_at_the_api_are_counted_together(
    client: Client, api: APIClient, superuser: User, factor: Factor
) -> None:
    for _ in range(5):
        with_code(client, factor.code(steps=9))
        log_in(api, superuser, otp=factor.code(steps=9))

    assert_login_refused(with_code(client, factor.code()), RateLimited.detail)


class TestRequiredFactor:
    @pytest.fixture(autouse=True)
    def _required(self, settings: Settings) -> None:
        settings.ADMIN_REQUIRE_OTP = True

    def test_staff_without_a_second_factor_are_led_to_its_page_and_not_let_in(
        self, client: Client, superuser: User
    ) -> None:
        for _ in range(6):
            answer = admin_login(client, "boss")
            assert (answer.status_code, answer["Location"]) == (302, ENROLMENT)
            assert client.get("/admin/").status_code == 302
            assert client.get(USERS).status_code == 302

        assert not AuditLog.objects.filter(event_type="admin_login").exists()
        assert AuditLog.objects.filter(event_type="admin_login_refused").count() == 6
        superuser.refresh_from_db()
        assert superuser.failed_login_attempts == 0

    def test_a_session_opened_before_the_requirement_is_closed(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        settings.ADMIN_REQUIRE_OTP = False
        admin_login(client, "boss")
        assert client.get("/admin/").status_code == 200
        settings.ADMIN_REQUIRE_OTP = True

        assert client.get("/admin/").status_code == 302

    def test_staff_with_a_second_factor_sign_in(
        self, client: Client, superuser: User, factor: Factor
    ) -> None:
        assert with_code(client, factor.code()).status_code == 302
        assert client.get("/admin/").status_code == 200


def test_setting_up_a_second_factor_closes_a_session_opened_without_it(
    client: Client, superuser: User
) -> None:
    admin_login(client, "boss")
    assert client.get("/admin/").status_code == 200

    give_factor(superuser)

    assert client.get("/admin/").status_code == 302


def test_disabling_the_second_factor_closes_the_admin_session(
    client: Client, api: APIClient, superuser: User, factor: Factor
) -> None:
    tokens = sign_in(api, superuser, otp=factor.recovery_codes[0])
    with_code(client, factor.code())

    assert post_as(api, tokens, f"{API}/2fa/disable/").status_code == 200

    assert client.get("/admin/").status_code == 302


def test_authenticate_refuses_a_password_without_a_code(superuser: User, factor: Factor) -> None:
    assert authenticate(username="boss", password=PASSWORD) is None
    assert authenticate(username="boss", password=PASSWORD, otp=factor.code(steps=9)) is None
    assert authenticate(username="boss", password=PASSWORD, otp=factor.code()) == superuser


def test_the_account_page_shows_no_seed_and_no_code(
    client: Client, superuser: User, factor: Factor
) -> None:
    with_code(client, factor.code())
    page = client.get(f"{USERS}{superuser.pk}/change/").content.decode()

    digests = RecoveryCode.objects.values_list("digest", flat=True)
    assert "Second factor at" in page
    assert [it for it in (*factor.recovery_codes, *digests, factor.seed.hex()) if it in page] == []
