"""Changes of a second factor need a recent proof by a code."""

import datetime as dt
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    User,
)
from authentication.tests.answers import (
    assert_problem,
    invalid,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NOON,
    WRONG_PASSWORD,
    Tokens,
    log_in,
    post_as,
    sign_in,
)
from authentication.tests.factories import PASSWORD, give_factor

from .passwords import change_password
from .reauthentication import REAUTHENTICATION_REQUIRED, reauthenticate
from .second_factor import (
    CONFIRM,
    DISABLE,
    RENEW,
    SETUP,
    WRONG_CODE,
    get_status,
)

CODE_NEEDED = invalid(otp=["Please give a code from your authenticator app."])
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestRequiredProof:
    @pytest.mark.parametrize("url", [SETUP, CONFIRM, DISABLE, RENEW])
    def test_a_session_without_a_recent_proof_changes_nothing(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture, url: str
    ) -> None:
        tokens = sign_in(api, person, otp=give_factor(person).code())
        time_machine.shift(dt.timedelta(minutes=10))
        before = self.rows_without_sessions_and_audits()

        assert refusal_of(post_as(api, tokens, url, {"otp": "492039"})) == REAUTHENTICATION_REQUIRED
        assert self.rows_without_sessions_and_audits() == before

    @pytest.mark.parametrize("url", [SETUP, CONFIRM, DISABLE, RENEW])
    def test_a_password_alone_is_not_a_proof_for_an_account_with_a_factor(
        self, api: APIClient, person: User, signed_in: Tokens, url: str
    ) -> None:
        give_factor(person)

        assert (
            refusal_of(post_as(api, signed_in, url, {"otp": "492039"})) == REAUTHENTICATION_REQUIRED
        )
        assert refusal_of(reauthenticate(api, signed_in, password=PASSWORD)) == CODE_NEEDED
        assert (
            refusal_of(post_as(api, signed_in, url, {"otp": "492039"})) == REAUTHENTICATION_REQUIRED
        )

    def test_a_password_change_is_not_a_proof(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        tokens = sign_in(api, person, otp=give_factor(person).code())
        time_machine.shift(dt.timedelta(minutes=10))

        changed = change_password(api, tokens).json()

        assert get_status(api, changed)["session_verified"] is True
        assert refusal_of(post_as(api, changed, DISABLE)) == REAUTHENTICATION_REQUIRED

    @pytest.mark.parametrize("kind", ["app", "recovery"])
    def test_a_code_is_a_proof_and_verifies_the_session(
        self, api: APIClient, person: User, signed_in: Tokens, kind: str
    ) -> None:
        factor = give_factor(person)
        code = factor.code() if kind == "app" else factor.recovery_codes[3]

        answer = reauthenticate(api, signed_in, otp=code)

        assert answer.status_code == 200
        assert get_status(api, signed_in)["session_verified"] is True
        assert post_as(api, signed_in, DISABLE).status_code == 200

    @pytest.mark.parametrize("url", [DISABLE, RENEW])
    def test_an_old_session_needs_both_the_password_and_a_code(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        time_machine: TimeMachineFixture,
        url: str,
    ) -> None:
        factor = give_factor(person)
        time_machine.shift(dt.timedelta(minutes=10))

        reauthenticate(api, signed_in, otp=factor.code())
        refused = post_as(api, signed_in, url)
        time_machine.shift(30)
        reauthenticate(api, signed_in, otp=factor.code(), password=PASSWORD)

        assert_problem(refused, 403, "reauthentication_required")
        assert "password and a code" in refused.json()["detail"]
        assert post_as(api, signed_in, url).status_code == 200

    def test_a_wrong_code_is_not_a_proof(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        factor = give_factor(person)

        answer = reauthenticate(api, signed_in, otp=factor.code(steps=7))

        assert refusal_of(answer) == WRONG_CODE
        assert refusal_of(post_as(api, signed_in, DISABLE)) == REAUTHENTICATION_REQUIRED

    def test_a_wrong_password_with_a_right_code_is_not_a_proof(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        factor = give_factor(person)

        answer = reauthenticate(api, signed_in, otp=factor.code(), password=WRONG_PASSWORD)

        assert refusal_of(answer) == invalid(password=["This is not your current password."])
        assert refusal_of(post_as(api, signed_in, DISABLE)) == REAUTHENTICATION_REQUIRED
        assert reauthenticate(api, signed_in, otp=factor.code()).status_code == 200

    def test_wrong_codes_are_counted_together_with_those_of_sign_ins(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        sessions = [signed_in, sign_in(api, person), sign_in(api, person)]
        factor = give_factor(person)
        wrong = factor.code(steps=7)
        tried = [
            reauthenticate(api, tokens, otp=wrong).status_code
            for tokens in sessions[:2]
            for _ in range(5)
        ]

        answer = reauthenticate(api, sessions[2], otp=factor.code())

        assert tried == [400] * 10
        assert_problem(answer, 429, "rate_limited")
        assert_problem(log_in(api, person, otp=factor.code()), 429, "rate_limited")

    @staticmethod
    def rows_without_sessions_and_audits() -> dict[str, Any]:
        return {
            name: found for name, found in rows().items() if name not in {"UserSession", "AuditLog"}
        }
