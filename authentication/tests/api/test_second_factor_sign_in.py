"""POST /api/v1/auth/login/ for an account with a second factor."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    User,
    UserSession,
)
from authentication.tests.answers import (
    assert_problem,
    cookie_of,
    refusal_of,
)
from authentication.tests.clients import (
    NOON,
    WRONG_PASSWORD,
    Tokens,
    log_in,
    refreshed,
)
from authentication.tests.conftest import queries
from authentication.tests.factories import Factor, UserFactory, give_factor

from .passwords import change_password
from .second_factor import (
    get_challenge,
    wrong_code,
)

METHODS = ["totp", "recovery_code"]
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestRightPassword:
    def test_the_answer_is_a_token_for_the_next_step_and_nothing_else(
        self, browser: APIClient, person: User, factor: Factor
    ) -> None:
        answer = log_in(browser, person)

        body = refusal_of(answer)
        assert 40 <= len(body.pop("mfa_token")) <= 64
        assert body == {
            "type": "/api/problems/mfa_required/",
            "title": "Second factor needed",
            "status": 403,
            "detail": "Please enter the code from your authenticator app, or a recovery code.",
            "code": "mfa_required",
            "error": "Please enter the code from your authenticator app, or a recovery code.",
            "mfa_methods": METHODS,
            "WWW-Authenticate": None,
        }
        assert cookie_of(answer) is None
        assert answer["Cache-Control"] == "no-store"
        assert not UserSession.objects.exists()
        assert AuditLog.objects.get().event_type == "second_factor_asked"

    def test_an_account_without_unused_recovery_codes_is_offered_totp_only(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        RecoveryCode.objects.update(used_at=NOON)

        assert log_in(api, person).json()["mfa_methods"] == ["totp"]

    def test_a_wrong_password_reveals_nothing_about_the_factor(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        plain = UserFactory()
        asked = [{"otp": factor.code()}, {"otp": wrong_code(factor)}, {}]

        answers = [
            refusal_of(log_in(api, it, WRONG_PASSWORD, **more))
            for it in (person, plain)
            for more in asked
        ]

        assert [it["code"] for it in answers] == ["invalid_credentials"] * 6
        assert all(it == answers[0] for it in answers)
        assert not SignInChallenge.objects.exists()
        assert SecondFactor.objects.get().window_tries == 0

    def test_a_right_password_is_never_counted_as_a_failure(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        for _ in range(7):
            get_challenge(api, person)

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_locked_account_reveals_nothing_about_the_factor(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        for _ in range(5):
            log_in(api, person, password=WRONG_PASSWORD)

        answer = log_in(api, person, otp=factor.code())

        assert_problem(answer, 403, "account_locked")
        assert "mfa_token" not in answer.json()

    def test_an_account_without_a_factor_signs_in_without_extra_queries(
        self, api: APIClient, person: User
    ) -> None:
        log_in(api, person)
        # A live refresh cookie would be replaced, with statements of its own.
        del api.cookies["refresh_token"]

        with CaptureQueriesContext(connection) as captured:
            answer = log_in(api, person, otp="492039")

        assert answer.status_code == 200
        assert len([sql for sql in queries(captured) if "auditlog" not in sql]) <= 6, queries(
            captured
        )
        assert UserSession.objects.latest("created_at").is_verified is False


class TestOneStep:
    @pytest.mark.parametrize("kind", ["app", "recovery"])
    def test_a_code_beside_the_password_signs_in(
        self, api: APIClient, person: User, factor: Factor, kind: str
    ) -> None:
        answer = log_in(
            api, person, otp=factor.code() if kind == "app" else factor.recovery_codes[9]
        )

        assert answer.status_code == 200
        assert UserSession.objects.get().is_verified is True
        assert not SignInChallenge.objects.exists()

    def test_a_wrong_code_is_named_after_the_right_password_only(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        by_code = log_in(api, person, otp=wrong_code(factor))
        by_password = log_in(api, person, WRONG_PASSWORD, otp=wrong_code(factor))

        assert_problem(by_code, 401, "code_invalid")
        assert_problem(by_password, 401, "invalid_credentials")
        assert by_code.json()["detail"] == "That code didn't work. Please try the next one."
        assert by_password.json()["detail"].startswith("That email, username or password")
        assert not UserSession.objects.exists()

    def test_an_empty_code_counts_as_missing(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        assert_problem(log_in(api, person, otp=""), 403, "mfa_required")


class TestSessionLevel:
    def test_refresh_keeps_the_verified_flag(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        tokens: Tokens = log_in(api, person, otp=factor.code()).json()
        api.cookies.clear()
        for _ in range(3):
            tokens = refreshed(api, tokens["refresh"])

        assert UserSession.objects.get().is_verified is True

    def test_a_password_change_keeps_the_level(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        tokens = log_in(api, person, otp=factor.code()).json()
        assert change_password(api, tokens).status_code == 200

        assert UserSession.objects.get(is_active=True).is_verified is True

    def test_a_factor_set_up_elsewhere_does_not_raise_the_level(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        give_factor(person)
        time_machine.shift(dt.timedelta(minutes=1))

        refreshed(api, signed_in["refresh"])

        assert UserSession.objects.get().is_verified is False


def test_a_browser_that_stops_at_the_factor_keeps_its_csrf_token(
    browser: APIClient, person: User, factor: Factor
) -> None:
    answer = log_in(browser, person)

    assert_problem(answer, 403, "mfa_required")
    assert "csrftoken" not in answer.cookies
