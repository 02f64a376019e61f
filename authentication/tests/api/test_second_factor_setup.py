"""POST /api/v1/auth/2fa/totp/setup/ and /confirm/: a seed is shown, confirmed and replaced."""

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    SecondFactor,
    User,
    UserSession,
)
from authentication.tests.answers import (
    assert_problem,
    problem_code,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NOON,
    Tokens,
    log_in,
    post_as,
    refreshed,
    sign_in,
    use_access,
)
from authentication.tests.conftest import Deliver
from authentication.tests.factories import PASSWORD, give_factor

from .reauthentication import REAUTHENTICATE, REAUTHENTICATION_REQUIRED, reauthenticate
from .second_factor import (
    CONFIRM,
    DISABLE,
    SETUP,
    STEP,
    WRONG_CODE,
    begin_setup,
    get_status,
    set_up_factor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestSetup:
    def test_the_secret_is_shown_as_text_url_and_qr_code(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = post_as(api, signed_in, SETUP, {"password": PASSWORD})

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {"secret", "otpauth_url", "qr_svg"}
        assert len(base64.b32decode(body["secret"])) == 20
        assert parse_qs(urlsplit(body["otpauth_url"]).query)["secret"] == [body["secret"]]
        assert person.email.replace("@", "%40") in body["otpauth_url"]
        assert body["qr_svg"].startswith("<svg ")

    def test_an_unconfirmed_secret_changes_nothing(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        factor = begin_setup(api, signed_in)

        assert get_status(api, signed_in)["enabled"] is False
        assert log_in(api, person).status_code == 200
        assert post_as(api, signed_in, REAUTHENTICATE, {"otp": factor.code()}).status_code == 400

    def test_the_first_code_enables_the_factor_and_shows_ten_recovery_codes(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        factor = begin_setup(api, signed_in)

        answer = post_as(api, signed_in, CONFIRM, {"otp": factor.code()})

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {"message", "recovery_codes"}
        assert len(set(body["recovery_codes"])) == 10
        assert get_status(api, signed_in) == {
            "enabled": True,
            "enabled_at": "2026-11-22T12:00:00Z",
            "recovery_codes_left": 10,
            "session_verified": True,
        }
        assert_problem(log_in(api, person), 403, "mfa_required")
        row = AuditLog.objects.get(event_type="second_factor_enabled")
        assert (row.user, row.metadata) == (person, {"change": "enabled"})
        (mail,) = delivered()
        assert mail.subject == "Your two-step sign-in was changed"
        assert "you now need a code from your authenticator app" in str(mail.body)

    @pytest.mark.parametrize("spelling", ["{:.3}-", "", "0{}", "+{}", "x" * 64])
    def test_a_wrong_code_does_not_confirm_the_secret(
        self, api: APIClient, person: User, signed_in: Tokens, spelling: str
    ) -> None:
        factor = begin_setup(api, signed_in)
        before = rows()

        answer = post_as(api, signed_in, CONFIRM, {"otp": spelling.format(factor.code())})

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"otp"}
        assert rows() == before

    def test_a_code_that_is_not_text_is_refused(self, api: APIClient, signed_in: Tokens) -> None:
        values: list[object] = [None, 492039, True, [], {}, "a\x00b", "x" * 65]

        answers = {str(otp): post_as(api, signed_in, CONFIRM, {"otp": otp}) for otp in values}

        assert {otp: problem_code(answer) for otp, answer in answers.items()} == dict.fromkeys(
            answers, "validation_error"
        )

    def test_a_code_without_a_secret_is_refused(self, api: APIClient, signed_in: Tokens) -> None:
        assert refusal_of(post_as(api, signed_in, CONFIRM, {"otp": "492039"})) == WRONG_CODE

    def test_a_new_secret_voids_the_former_one(self, api: APIClient, signed_in: Tokens) -> None:
        first, second = begin_setup(api, signed_in), begin_setup(api, signed_in)

        assert refusal_of(post_as(api, signed_in, CONFIRM, {"otp": first.code()})) == WRONG_CODE
        assert post_as(api, signed_in, CONFIRM, {"otp": second.code()}).status_code == 200

    def test_an_unconfirmed_secret_expires_after_an_hour(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        factor = begin_setup(api, signed_in)
        time_machine.shift(3600)
        fresh = refreshed(api, signed_in["refresh"])
        reauthenticate(api, fresh, password=PASSWORD)

        assert refusal_of(post_as(api, fresh, CONFIRM, {"otp": factor.code()})) == WRONG_CODE

    def test_an_unverified_address_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Any
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        factor = begin_setup(api, signed_in)
        User.objects.update(email_verified=False, email_verified_at=None)

        answers = [
            post_as(api, signed_in, SETUP, {"password": PASSWORD}),
            post_as(api, signed_in, CONFIRM, {"otp": factor.code()}),
        ]

        for answer in answers:
            assert_problem(answer, 403, "email_not_verified")
        assert User.objects.get().second_factor_at is None

    def test_another_session_is_not_verified_by_the_setup(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        other = sign_in(api, person)
        set_up_factor(api, signed_in)

        fresh = refreshed(api, other["refresh"])

        assert get_status(api, fresh)["session_verified"] is False
        assert refusal_of(post_as(api, fresh, DISABLE)) == REAUTHENTICATION_REQUIRED
        assert UserSession.objects.filter(is_verified=True).count() == 1

    def test_no_row_and_no_mail_contains_the_secret_or_a_code(
        self, api: APIClient, signed_in: Tokens, delivered: Deliver
    ) -> None:
        first = begin_setup(api, signed_in)
        factor = set_up_factor(api, signed_in)
        stored = f"{rows()} {[str(mail.message()) for mail in delivered()]}"

        secrets = [base64.b32encode(it.seed).decode() for it in (first, factor)] + [
            factor.seed.hex(),
            repr(factor.seed),
        ]
        plain = [code.replace("-", "") for code in factor.recovery_codes]
        assert [it for it in (*secrets, *factor.recovery_codes, *plain) if it in stored] == []


class TestReplacement:
    def test_the_old_app_works_until_the_new_one_is_confirmed(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        old = give_factor(person)
        tokens = sign_in(api, person, otp=old.code())
        new = begin_setup(api, tokens)
        time_machine.shift(STEP)

        assert sign_in(api, person, otp=old.code())
        time_machine.shift(STEP)
        assert log_in(api, person, otp=new.code()).status_code == 401

    def test_the_new_app_voids_the_old_codes_and_ends_other_sessions(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        old = give_factor(person)
        other = sign_in(api, person, otp=old.code())
        time_machine.shift(STEP)
        tokens = sign_in(api, person, otp=old.code())
        time_machine.shift(STEP)

        new = set_up_factor(api, tokens)

        time_machine.shift(STEP)
        codes = (old.code(), old.recovery_codes[0], new.code())
        assert [log_in(api, person, otp=code).status_code for code in codes] == [
            401,
            401,
            200,
        ]
        assert (use_access(api, other), use_access(api, tokens)) == (401, 200)
        assert any("another authenticator app" in str(mail.body) for mail in delivered())

    def test_a_used_time_step_is_refused_for_the_new_app(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person, otp=give_factor(person).code())
        new = begin_setup(api, tokens)

        assert refusal_of(post_as(api, tokens, CONFIRM, {"otp": new.code()})) == WRONG_CODE
        assert post_as(api, tokens, CONFIRM, {"otp": new.code(steps=1)}).status_code == 200


def test_a_seed_is_stored_encrypted(person: User) -> None:
    give_factor(person)

    assert re.fullmatch(r"[0-9a-f]{8}\.[\w-]+=*", SecondFactor.objects.get().seed)
