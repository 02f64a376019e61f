"""/api/v1/auth/2fa/: setting a second factor up, looking at it, and giving it up."""

import base64
import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.mail import EmailMessage
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    RecoveryCode,
    SecondFactor,
    User,
    UserSession,
)
from authentication.tests.answers import TOKEN_INVALID, invalid, refusal_of, rows
from authentication.tests.clients import NOON, Tokens, refreshed, sign_in, use_access
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, Factor, give_factor

from .test_reauthenticate import ASKED_FOR, prove

URL = f"{API}/2fa/"
SETUP, CONFIRM = f"{URL}totp/setup/", f"{URL}totp/confirm/"
DISABLE, RENEW = f"{URL}disable/", f"{URL}recovery-codes/"
LOGIN = f"{API}/login/"
WRONG_CODE = invalid(otp=["This code is not valid."])
CODE_NEEDED = invalid(otp=["Please give a code of your second factor."])
NOTHING_HERE = (404, "not_found")
STEP = 30

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def post(api: APIClient, tokens: Tokens, url: str, **body: Any) -> Any:
    return api.post(url, body, headers=bearer(tokens["access"]))


def status(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    body: dict[str, Any] = api.get(URL, headers=bearer(tokens["access"])).json()
    return body


def offered(api: APIClient, tokens: Tokens) -> Factor:
    """Begin to set an app up; return it, without recovery codes yet."""
    answer = post(api, tokens, SETUP)
    assert answer.status_code == 200, answer.content
    return Factor(base64.b32decode(answer.json()["secret"]), [])


def enrolled(api: APIClient, tokens: Tokens) -> Factor:
    """Set an app up."""
    app = offered(api, tokens)
    answer = post(api, tokens, CONFIRM, otp=app.code())
    assert answer.status_code == 200, answer.content
    return Factor(app.seed, answer.json()["recovery_codes"])


def verified(api: APIClient, person: User, code: str) -> Tokens:
    """Sign in with a code."""
    return sign_in(api, person, otp=code)


class TestSettingUp:
    def test_the_secret_is_shown_in_three_forms(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = post(api, signed_in, SETUP)

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {"secret", "otpauth_url", "qr_svg"}
        assert len(base64.b32decode(body["secret"])) == 20
        assert parse_qs(urlsplit(body["otpauth_url"]).query)["secret"] == [body["secret"]]
        assert person.email.replace("@", "%40") in body["otpauth_url"]
        assert body["qr_svg"].startswith("<svg ")

    def test_until_a_code_confirms_it_nothing_has_changed(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        app = offered(api, signed_in)

        assert status(api, signed_in)["enabled"] is False
        assert api.post(LOGIN, {"email": person.email, "password": PASSWORD}).status_code == 200
        assert post(api, signed_in, f"{API}/reauthenticate/", otp=app.code()).status_code == 400

    def test_the_first_code_puts_it_in_force_and_shows_ten_recovery_codes(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        app = offered(api, signed_in)

        answer = post(api, signed_in, CONFIRM, otp=app.code())

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {"message", "recovery_codes"}
        assert len(set(body["recovery_codes"])) == 10
        assert status(api, signed_in) == {
            "enabled": True,
            "enabled_at": "2026-11-22T12:00:00Z",
            "recovery_codes_left": 10,
            "session_verified": True,
        }
        assert (
            api.post(LOGIN, {"email": person.email, "password": PASSWORD}).json()["code"]
            == "mfa_required"
        )
        row = AuditLog.objects.get(event_type="second_factor_enabled")
        assert (row.user, row.metadata) == (person, {"change": "enabled"})
        (mail,) = delivered()
        assert mail.subject == "Your second factor was changed"
        assert "you now need a code from your authenticator app" in str(mail.body)

    @pytest.mark.parametrize("spelling", ["{} ", " {}", "{:.3}-", "", "x" * 64])
    def test_a_wrong_code_confirms_nothing(
        self, api: APIClient, person: User, signed_in: Tokens, spelling: str
    ) -> None:
        app = offered(api, signed_in)
        before = rows()

        answer = post(api, signed_in, CONFIRM, otp=spelling.format(app.code()))

        assert answer.status_code == 400
        assert answer.json()["errors"].keys() == {"otp"}
        assert rows() == before

    @pytest.mark.parametrize("otp", [None, 492039, True, [], {}, "a\x00b", "x" * 65])
    def test_what_is_no_text_is_refused(
        self, api: APIClient, signed_in: Tokens, otp: object
    ) -> None:
        answer = post(api, signed_in, CONFIRM, otp=otp)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_a_code_without_anything_set_up_is_wrong(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        assert refusal_of(post(api, signed_in, CONFIRM, otp="492039")) == WRONG_CODE

    def test_a_new_secret_voids_the_one_before(self, api: APIClient, signed_in: Tokens) -> None:
        first, second = offered(api, signed_in), offered(api, signed_in)

        assert refusal_of(post(api, signed_in, CONFIRM, otp=first.code())) == WRONG_CODE
        assert post(api, signed_in, CONFIRM, otp=second.code()).status_code == 200

    def test_it_waits_an_hour_to_be_confirmed(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        app = offered(api, signed_in)
        time_machine.shift(3600)
        fresh = refreshed(api, signed_in["refresh"])
        prove(api, fresh, password=PASSWORD)

        assert refusal_of(post(api, fresh, CONFIRM, otp=app.code())) == WRONG_CODE

    def test_the_address_must_be_proven(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Any
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        app = offered(api, signed_in)
        User.objects.update(email_verified=False, email_verified_at=None)

        answers = [post(api, signed_in, SETUP), post(api, signed_in, CONFIRM, otp=app.code())]

        assert [(it.status_code, it.json()["code"]) for it in answers] == [
            (403, "email_not_verified")
        ] * 2
        assert User.objects.get().second_factor_at is None

    def test_no_other_session_gains_anything(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        other = sign_in(api, person)
        enrolled(api, signed_in)

        fresh = refreshed(api, other["refresh"])

        assert status(api, fresh)["session_verified"] is False
        assert refusal_of(post(api, fresh, DISABLE)) == ASKED_FOR
        assert UserSession.objects.filter(is_verified=True).count() == 1

    def test_nothing_stored_or_mailed_or_audited_shows_the_secret_or_a_code(
        self, api: APIClient, signed_in: Tokens, delivered: Deliver
    ) -> None:
        first = offered(api, signed_in)
        app = enrolled(api, signed_in)
        stored = f"{rows()} {[str(mail.message()) for mail in delivered()]}"

        secrets = [base64.b32encode(it.seed).decode() for it in (first, app)] + [
            app.seed.hex(),
            repr(app.seed),
        ]
        plain = [code.replace("-", "") for code in app.recovery_codes]
        assert [it for it in (*secrets, *app.recovery_codes, *plain) if it in stored] == []


class TestReplacing:
    def test_the_old_app_stays_in_force_until_the_new_one_is_confirmed(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        old = give_factor(person)
        tokens = verified(api, person, old.code())
        new = offered(api, tokens)
        time_machine.shift(STEP)

        assert verified(api, person, old.code())
        time_machine.shift(STEP)
        assert (
            api.post(
                LOGIN, {"email": person.email, "password": PASSWORD, "otp": new.code()}
            ).status_code
            == 401
        )

    def test_the_new_one_voids_the_old_app_and_its_recovery_codes_and_ends_other_sessions(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        old = give_factor(person)
        other = verified(api, person, old.code())
        time_machine.shift(STEP)
        tokens = verified(api, person, old.code())
        time_machine.shift(STEP)

        new = enrolled(api, tokens)

        time_machine.shift(STEP)
        login = {"email": person.email, "password": PASSWORD}
        codes = (old.code(), old.recovery_codes[0], new.code())
        assert [api.post(LOGIN, {**login, "otp": code}).status_code for code in codes] == [
            401,
            401,
            200,
        ]
        assert (use_access(api, other), use_access(api, tokens)) == (401, 200)
        assert "another authenticator app" in str(delivered()[-1].body)

    def test_a_step_that_was_used_is_used_for_the_new_app_too(
        self, api: APIClient, person: User
    ) -> None:
        tokens = verified(api, person, give_factor(person).code())
        new = offered(api, tokens)

        assert refusal_of(post(api, tokens, CONFIRM, otp=new.code())) == WRONG_CODE
        assert post(api, tokens, CONFIRM, otp=new.code(steps=1)).status_code == 200


class TestGivingUp:
    def test_it_takes_the_password_alone_again_and_ends_other_sessions(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        app = give_factor(person)
        other = verified(api, person, app.code())
        time_machine.shift(STEP)
        tokens = verified(api, person, app.code())

        answer = post(api, tokens, DISABLE)

        assert answer.status_code == 200
        assert answer.json() == {
            "message": "Your second factor is given up. Every other device was signed out."
        }
        assert (use_access(api, other), use_access(api, tokens)) == (401, 200)
        assert status(api, tokens)["enabled"] is False
        assert sign_in(api, person)
        assert not RecoveryCode.objects.exists()
        assert (SecondFactor.objects.get().seed, SecondFactor.objects.get().pending_seed) == (
            "",
            "",
        )
        assert AuditLog.objects.get(event_type="second_factor_disabled").user == person
        assert "only your password" in str(delivered()[-1].body)

    def test_without_one_there_is_nothing_to_give_up(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        answers = [post(api, signed_in, DISABLE), post(api, signed_in, RENEW)]

        assert [(it.status_code, it.json()["code"]) for it in answers] == [NOTHING_HERE] * 2
        assert not OutgoingEmail.objects.exists()

    def test_a_new_one_can_be_set_up_after_it(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        tokens = verified(api, person, give_factor(person).code())
        post(api, tokens, DISABLE)
        time_machine.shift(STEP)

        assert len(enrolled(api, tokens).recovery_codes) == 10


class TestRecoveryCodes:
    def test_new_ones_void_the_older(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        app = give_factor(person)
        tokens = verified(api, person, app.code())

        answer = post(api, tokens, RENEW)

        codes = answer.json()["recovery_codes"]
        assert (answer.status_code, answer["Cache-Control"], len(set(codes))) == (
            200,
            "no-store",
            10,
        )
        login = {"email": person.email, "password": PASSWORD}
        used = [
            api.post(LOGIN, {**login, "otp": code}).status_code
            for code in (app.recovery_codes[0], codes[0])
        ]
        assert used == [401, 200]
        assert status(api, tokens)["recovery_codes_left"] == 9
        assert AuditLog.objects.filter(event_type="recovery_codes_renewed").count() == 1
        assert "New recovery codes" in str(delivered()[-1].body)


class TestTheProofItTakes:
    @pytest.mark.parametrize("url", [SETUP, CONFIRM, DISABLE, RENEW])
    def test_an_old_session_alone_can_change_nothing(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture, url: str
    ) -> None:
        tokens = verified(api, person, give_factor(person).code())
        time_machine.shift(dt.timedelta(minutes=10))
        before = self.state()

        assert refusal_of(post(api, tokens, url, otp="492039")) == ASKED_FOR
        assert self.state() == before

    @pytest.mark.parametrize("url", [SETUP, CONFIRM, DISABLE, RENEW])
    def test_a_password_alone_is_no_proof_where_there_is_a_factor(
        self, api: APIClient, person: User, signed_in: Tokens, url: str
    ) -> None:
        give_factor(person)

        assert refusal_of(post(api, signed_in, url, otp="492039")) == ASKED_FOR
        assert refusal_of(prove(api, signed_in, password=PASSWORD)) == CODE_NEEDED
        assert refusal_of(post(api, signed_in, url, otp="492039")) == ASKED_FOR

    def test_changing_the_password_is_none_either(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        tokens = verified(api, person, give_factor(person).code())
        time_machine.shift(dt.timedelta(minutes=10))
        body = {"old_password": PASSWORD, "new_password": "Another-Horse-7"}

        changed = post(api, tokens, f"{API}/password/change/", **body).json()

        assert status(api, changed)["session_verified"] is True
        assert refusal_of(post(api, changed, DISABLE)) == ASKED_FOR

    @pytest.mark.parametrize("kind", ["app", "recovery"])
    def test_a_code_is_one_and_verifies_the_session(
        self, api: APIClient, person: User, signed_in: Tokens, kind: str
    ) -> None:
        app = give_factor(person)
        code = app.code() if kind == "app" else app.recovery_codes[3]

        answer = prove(api, signed_in, otp=code)

        assert answer.status_code == 200
        assert status(api, signed_in)["session_verified"] is True
        assert post(api, signed_in, DISABLE).status_code == 200

    def test_a_wrong_code_is_none(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        app = give_factor(person)

        answer = prove(api, signed_in, otp=app.code(steps=7))

        assert refusal_of(answer) == WRONG_CODE
        assert refusal_of(post(api, signed_in, DISABLE)) == ASKED_FOR

    def test_a_wrong_password_beside_a_right_code_is_none(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        app = give_factor(person)

        answer = prove(api, signed_in, otp=app.code(), password="Wrong-Horse-9")

        assert refusal_of(answer) == invalid(password=["This is not your current password."])
        assert refusal_of(post(api, signed_in, DISABLE)) == ASKED_FOR
        assert prove(api, signed_in, otp=app.code()).status_code == 200

    def test_codes_tried_here_are_counted_with_those_of_sign_ins(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        app = give_factor(person)
        wrong = app.code(steps=7)
        tried = [prove(api, signed_in, otp=wrong).status_code for _ in range(10)]

        answer = prove(api, signed_in, otp=app.code())

        assert tried == [400] * 10
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert (
            api.post(
                LOGIN, {"email": person.email, "password": PASSWORD, "otp": app.code()}
            ).status_code
            == 429
        )

    @staticmethod
    def state() -> dict[str, Any]:
        return {
            name: found for name, found in rows().items() if name not in {"UserSession", "AuditLog"}
        }


@pytest.mark.parametrize(
    ("method", "url"),
    [("get", URL), ("post", SETUP), ("post", CONFIRM), ("post", DISABLE), ("post", RENEW)],
)
def test_without_a_session_nothing_is_shown_or_done(
    api: APIClient, person: User, method: str, url: str
) -> None:
    give_factor(person)
    before = rows()

    assert refusal_of(getattr(api, method)(url)) == TOKEN_INVALID
    assert rows() == before


def test_the_status_of_a_person_without_one(api: APIClient, signed_in: Tokens) -> None:
    assert status(api, signed_in) == {
        "enabled": False,
        "enabled_at": None,
        "recovery_codes_left": 0,
        "session_verified": False,
    }


def test_seeds_are_stored_under_a_key_and_for_their_person_alone(person: User) -> None:
    give_factor(person)

    assert re.fullmatch(r"[0-9a-f]{8}\.[\w-]+=*", SecondFactor.objects.get().seed)
