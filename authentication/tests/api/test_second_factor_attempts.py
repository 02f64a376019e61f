"""An account allows ten tries of a code an hour."""

import io

import pytest
from django.core.management import call_command
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.tests.answers import assert_problem
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    log_in,
)
from authentication.tests.conftest import Deliver
from authentication.tests.factories import Factor, UserFactory, give_factor

from .passwords import confirm_reset
from .second_factor import (
    STEP,
    get_challenge,
    verify,
    wrong_code,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestTryLimit:
    def send_wrong_codes(
        self, api: APIClient, person: User, factor: Factor, count: int
    ) -> list[int]:
        return [
            verify(api, get_challenge(api, person), wrong_code(factor)).status_code
            for _ in range(count)
        ]

    @pytest.fixture(autouse=True)
    def _with_higher_rate_limits(self, settings: Settings) -> None:
        settings.RATE_LIMITS = {
            **settings.RATE_LIMITS,
            "login": "999/h",
            "second_factor_verify": "999/h",
        }

    def test_a_new_token_does_not_start_a_new_count(
        self, api: APIClient, person: User, factor: Factor, delivered: Deliver
    ) -> None:
        assert self.send_wrong_codes(api, person, factor, 10) == [401] * 10

        answers = [
            verify(api, get_challenge(api, person), factor.code()),
            log_in(api, person, otp=factor.code()),
        ]

        for answer in answers:
            assert_problem(answer, 429, "rate_limited")
        assert {it["Retry-After"] for it in answers} == {"3600"}
        assert not UserSession.objects.exists()
        assert AuditLog.objects.get(event_type="second_factor_blocked").risk_level == "high"
        (mail,) = delivered()
        assert mail.subject == "We stopped someone who knows your password"

    def test_the_count_starts_again_an_hour_after_the_first_try(
        self, api: APIClient, person: User, factor: Factor, time_machine: TimeMachineFixture
    ) -> None:
        self.send_wrong_codes(api, person, factor, 5)
        time_machine.shift(1800)
        self.send_wrong_codes(api, person, factor, 5)
        time_machine.shift(1799)
        assert log_in(api, person, otp=factor.code()).status_code == 429
        time_machine.shift(1)

        assert log_in(api, person, otp=factor.code()).status_code == 200
        assert self.send_wrong_codes(api, person, factor, 11) == [401] * 10 + [429]

    def test_right_codes_are_not_counted_and_do_not_reset_the_count(
        self, api: APIClient, person: User, factor: Factor, time_machine: TimeMachineFixture
    ) -> None:
        assert self.send_wrong_codes(api, person, factor, 9) == [401] * 9
        for code in factor.recovery_codes[:3]:
            assert log_in(api, person, otp=code).status_code == 200
        for _ in range(3):
            assert log_in(api, person, otp=factor.code()).status_code == 200
            time_machine.shift(STEP)

        assert self.send_wrong_codes(api, person, factor, 2) == [401, 429]

    def test_each_user_has_a_separate_count(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        other = UserFactory()
        theirs = give_factor(other)
        self.send_wrong_codes(api, person, factor, 10)

        assert log_in(api, other, otp=theirs.code()).status_code == 200

    def test_a_recovery_code_works_while_codes_of_the_app_do_not(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        self.send_wrong_codes(api, person, factor, 12)

        right, wrong = factor.recovery_codes[0], "0" * 24
        assert verify(api, get_challenge(api, person), wrong).status_code == 401
        assert verify(api, get_challenge(api, person), right).status_code == 200
        assert log_in(api, person, otp=factor.code()).status_code == 429

    def test_a_password_reset_starts_a_new_count(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        self.send_wrong_codes(api, person, factor, 10)
        token = PasswordResetToken.objects.issue(person, at=NOON)
        confirm_reset(api, token)

        assert log_in(api, person, password=NEW_PASSWORD, otp=factor.code()).status_code == 200

    def test_an_unlock_by_staff_starts_a_new_count(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        self.send_wrong_codes(api, person, factor, 10)
        call_command("unlock_account", person.email, stdout=io.StringIO())

        assert log_in(api, person, otp=factor.code()).status_code == 200

    def test_a_recovery_code_that_is_used_is_mailed(
        self, api: APIClient, person: User, factor: Factor, delivered: Deliver
    ) -> None:
        log_in(api, person, otp=factor.recovery_codes[0])

        subjects = [mail.subject for mail in delivered()]
        assert subjects.count("A recovery code of your account was used") == 1
