"""POST /api/v1/auth/2fa/verify/: the second step of a sign-in."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    RecoveryCode,
    SecondFactor,
    User,
    UserSession,
)
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refresh_cookie,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    FOREIGN_PAGE,
    NOON,
    log_in,
    set_password,
    use_access,
)
from authentication.tests.factories import Factor

from .second_factor import (
    VERIFY,
    get_challenge,
    verify,
    wrong_code,
)

CODE_INVALID = {
    "type": "/api/problems/code_invalid/",
    "title": "Wrong code",
    "status": 401,
    "detail": "That code didn't work. Please try the next one.",
    "code": "code_invalid",
    "error": "That code didn't work. Please try the next one.",
    "WWW-Authenticate": "Bearer",
}
MALFORMED: list[dict[str, Any]] = [
    {},
    {"otp": "492039"},
    {"mfa_token": "x"},
    {"mfa_token": None, "otp": "492039"},
    {"mfa_token": 5, "otp": "492039"},
    {"mfa_token": "x", "otp": 492039},
    {"mfa_token": "x", "otp": None},
    {"mfa_token": "x", "otp": ""},
    {"mfa_token": "x", "otp": ["492039"]},
    {"mfa_token": "x", "otp": "4920\x0039"},
    {"mfa_token": "x", "otp": "x" * 65},
    {"mfa_token": "x", "otp": "492039", "recovery_code": "k7m2qx-9fd0aa-t3ny8w-h5c4rp"},
]
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestTwoSteps:
    @pytest.mark.parametrize("field", ["otp", "recovery_code"])
    def test_a_recovery_code_signs_in_under_either_field_name(
        self, api: APIClient, person: User, factor: Factor, field: str
    ) -> None:
        answer = verify(api, get_challenge(api, person), factor.recovery_codes[0].upper(), field)

        assert answer.status_code == 200
        assert use_access(api, answer.json()) == 200
        assert RecoveryCode.objects.unused(person.pk).count() == 9
        assert AuditLog.objects.get(event_type="second_factor_used").metadata == {
            "method": "recovery_code"
        }

    def test_the_answer_is_that_of_a_sign_in(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        token = get_challenge(api, person, device_name="My terminal", remember_me=True)

        answer = verify(api, token, factor.code())

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "refresh",
            "device_id",
            "user",
        }
        assert body["user"]["id"] == str(person.pk)
        session = UserSession.objects.get()
        assert (session.device_name, session.remember_me, session.is_verified) == (
            "My terminal",
            True,
            True,
        )
        assert session.reauthenticated_at == NOON
        assert [it.event_type for it in AuditLog.objects.order_by("timestamp", "event_type")].count(
            "login"
        ) == 1

    def test_a_browser_gets_its_refresh_token_in_the_cookie_only(
        self, browser: APIClient, person: User, factor: Factor
    ) -> None:
        answer = verify(browser, get_challenge(browser, person), factor.code())

        cookie = cookie_of(answer)
        assert cookie == refresh_cookie(cookie["value"] if cookie else "")
        assert "refresh" not in answer.json()
        assert "csrftoken" in answer.cookies

    def test_a_cross_site_request_is_refused(self, person: User, factor: Factor) -> None:
        token = get_challenge(APIClient(), person)

        answer = verify(APIClient(headers=FOREIGN_PAGE), token, factor.code())

        assert_problem(answer, 403, "csrf_failed")
        assert cookie_of(answer) is None
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize("code", ["{}", "{} ", "123456", "k7m2qx-9fd0aa-t3ny8w-h5c4r0"])
    def test_a_wrong_code_is_refused_and_audited(
        self, api: APIClient, person: User, factor: Factor, code: str
    ) -> None:
        token = get_challenge(api, person)

        answer = verify(api, token, code.format(wrong_code(factor)))

        assert refusal_of(answer) == CODE_INVALID
        assert not UserSession.objects.exists()
        row = AuditLog.objects.get(event_type="second_factor_failed")
        assert (row.user, row.success, row.metadata) == (person, False, {"reason": "code"})

    def test_a_token_works_once(self, api: APIClient, person: User, factor: Factor) -> None:
        token = get_challenge(api, person)
        assert verify(api, token, factor.code()).status_code == 200

        again = [verify(api, token, code) for code in (factor.code(steps=1), wrong_code(factor))]

        assert [refusal_of(answer) for answer in again] == [TOKEN_INVALID] * 2
        assert UserSession.objects.count() == 1
        # No code was checked: the one that came with it is still good.
        assert log_in(api, person, otp=factor.code(steps=1)).status_code == 200

    def test_a_token_allows_five_tries(self, api: APIClient, person: User, factor: Factor) -> None:
        token = get_challenge(api, person)
        tried = [verify(api, token, wrong_code(factor)).status_code for _ in range(5)]

        assert tried == [401] * 5
        assert refusal_of(verify(api, token, factor.code())) == TOKEN_INVALID
        assert verify(api, get_challenge(api, person), factor.code()).status_code == 200

    def test_a_token_lives_five_minutes(
        self, api: APIClient, person: User, factor: Factor, time_machine: TimeMachineFixture
    ) -> None:
        early, late = get_challenge(api, person), get_challenge(api, person)
        time_machine.shift(299)
        assert verify(api, early, factor.code()).status_code == 200
        time_machine.shift(1)

        assert refusal_of(verify(api, late, factor.code(steps=1))) == TOKEN_INVALID

    @pytest.mark.parametrize("change", ["password", "account", "factor"])
    def test_a_change_of_the_account_voids_the_token(
        self,
        api: APIClient,
        person: User,
        factor: Factor,
        time_machine: TimeMachineFixture,
        change: str,
    ) -> None:
        token = get_challenge(api, person)
        time_machine.shift(1)
        if change == "password":
            set_password(person)
        elif change == "account":
            User.objects.update(is_active=False)
        else:
            User.objects.clear_second_factor(person.pk)

        assert refusal_of(verify(api, token, factor.code())) == TOKEN_INVALID
        assert not UserSession.objects.exists()

    def test_a_malformed_body_is_refused_and_not_counted(
        self, api: APIClient, person: User, factor: Factor, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        get_challenge(api, person)
        before = rows()

        failures = {
            str(body): answer.content
            for body in MALFORMED
            if (answer := api.post(VERIFY, body)).status_code != 400
            or answer.json()["code"] != "validation_error"
        }

        assert failures == {}
        assert rows() == before

    def test_an_unknown_token_is_refused(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        assert refusal_of(verify(api, "x" * 43, factor.code())) == TOKEN_INVALID
        assert SecondFactor.objects.get().window_tries == 0
