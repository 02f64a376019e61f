"""Signing in with a second factor: in one step, or in two by POST /api/v1/auth/2fa/verify/."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    PasswordResetToken,
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.tests.answers import TOKEN_INVALID, cookie_of, refresh_cookie, refusal_of, rows
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    refreshed,
    set_password,
    use_access,
)
from authentication.tests.conftest import API, ME, bearer, queries
from authentication.tests.factories import PASSWORD, Factor, UserFactory, give_factor
from authentication.utils.crypto import digest
from authentication.utils.one_time_codes import matching_step

LOGIN, VERIFY, EXCHANGE = f"{API}/login/", f"{API}/2fa/verify/", f"{API}/exchange-token/"
STEP = 30
CODE_INVALID = {
    "type": "/api/problems/invalid_credentials/",
    "title": "Invalid credentials",
    "status": 401,
    "detail": "That code didn't work. Please try the next one.",
    "code": "invalid_credentials",
    "error": "That code didn't work. Please try the next one.",
    "WWW-Authenticate": "Bearer",
}
BOTH = ["totp", "recovery_code"]

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture
def app(person: User) -> Factor:
    """Return the second factor of the person."""
    return give_factor(person)


def log_in(api: APIClient, person: User, **body: Any) -> Any:
    return api.post(LOGIN, {"email": person.email, "password": PASSWORD, **body})


def challenge(api: APIClient, person: User, **body: Any) -> str:
    """Give the password; return the token that goes on."""
    answer = log_in(api, person, **body)
    assert (answer.status_code, answer.json()["code"]) == (403, "mfa_required"), answer.content
    token: str = answer.json()["mfa_token"]
    return token


def verify(api: APIClient, token: str, code: str, field: str = "otp") -> Any:
    return api.post(VERIFY, {"mfa_token": token, field: code})


def wrong(app: Factor) -> str:
    return app.code(steps=9)


class TestTheRightPassword:
    def test_it_is_answered_with_a_token_that_goes_on_and_nothing_else(
        self, browser: APIClient, person: User, app: Factor
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
            "mfa_methods": BOTH,
            "WWW-Authenticate": None,
        }
        assert cookie_of(answer) is None
        assert answer["Cache-Control"] == "no-store"
        assert not UserSession.objects.exists()
        assert AuditLog.objects.get().event_type == "second_factor_asked"

    def test_without_a_recovery_code_left_none_is_offered(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        RecoveryCode.objects.update(used_at=NOON)

        assert log_in(api, person).json()["mfa_methods"] == ["totp"]

    def test_a_wrong_password_is_told_nothing_of_the_factor(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        plain = UserFactory()
        asked = [{"otp": app.code()}, {"otp": wrong(app)}, {}]

        answers = [
            refusal_of(api.post(LOGIN, {"email": it.email, "password": "Wrong-Horse-9", **more}))
            for it in (person, plain)
            for more in asked
        ]

        assert [it["code"] for it in answers] == ["invalid_credentials"] * 6
        assert all(it == answers[0] for it in answers)
        assert not SignInChallenge.objects.exists()
        assert SecondFactor.objects.get().window_tries == 0

    def test_it_is_no_failure_however_often(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        for _ in range(7):
            challenge(api, person)

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_locked_account_says_so_and_nothing_of_the_factor(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        for _ in range(5):
            log_in(api, person, password="Wrong-Horse-9")

        answer = log_in(api, person, otp=app.code())

        assert (answer.status_code, answer.json()["code"]) == (403, "account_locked")
        assert "mfa_token" not in answer.json()

    def test_whoever_has_no_factor_needs_none_and_it_costs_them_nothing(
        self, api: APIClient, person: User
    ) -> None:
        log_in(api, person)

        with CaptureQueriesContext(connection) as captured:
            answer = log_in(api, person, otp="492039")

        assert answer.status_code == 200
        assert len([sql for sql in queries(captured) if "auditlog" not in sql]) <= 6, queries(
            captured
        )
        assert UserSession.objects.latest("created_at").is_verified is False


class TestInTwoSteps:
    @pytest.mark.parametrize("field", ["otp", "recovery_code"])
    def test_a_recovery_code_signs_in_by_either_name(
        self, api: APIClient, person: User, app: Factor, field: str
    ) -> None:
        answer = verify(api, challenge(api, person), app.recovery_codes[0].upper(), field)

        assert answer.status_code == 200
        assert use_access(api, answer.json()) == 200
        assert RecoveryCode.objects.unused(person.pk).count() == 9
        assert AuditLog.objects.get(event_type="second_factor_used").metadata == {
            "method": "recovery_code"
        }

    def test_the_answer_is_that_of_a_sign_in(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        token = challenge(api, person, device_name="My terminal", remember_me=True)

        answer = verify(api, token, app.code())

        body = answer.json()
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert body.keys() == {
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "refresh",
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

    def test_a_browser_gets_its_refresh_token_by_cookie_alone(
        self, browser: APIClient, person: User, app: Factor
    ) -> None:
        answer = verify(browser, challenge(browser, person), app.code())

        cookie = cookie_of(answer)
        assert cookie == refresh_cookie(cookie["value"] if cookie else "")
        assert "refresh" not in answer.json()
        assert "csrftoken" in answer.cookies

    def test_a_page_of_another_site_cannot_finish_it(self, person: User, app: Factor) -> None:
        token = challenge(APIClient(), person)
        elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}

        answer = APIClient(headers=elsewhere).post(VERIFY, {"mfa_token": token, "otp": app.code()})

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert cookie_of(answer) is None
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize("code", ["{}", "{} ", "{:.3} {}", "", "123456", "1234567"])
    def test_a_wrong_code_is_refused_and_says_nothing_more(
        self, api: APIClient, person: User, app: Factor, code: str
    ) -> None:
        token = challenge(api, person)
        typed = code.format(wrong(app), wrong(app)) or "x"

        answer = verify(api, token, typed)

        assert refusal_of(answer) == CODE_INVALID
        assert not UserSession.objects.exists()
        row = AuditLog.objects.get(event_type="second_factor_failed")
        assert (row.user, row.success, row.metadata) == (person, False, {"reason": "code"})

    def test_it_works_once(self, api: APIClient, person: User, app: Factor) -> None:
        token = challenge(api, person)
        assert verify(api, token, app.code()).status_code == 200

        again = [verify(api, token, code) for code in (app.code(steps=1), wrong(app))]

        assert [refusal_of(answer) for answer in again] == [TOKEN_INVALID] * 2
        assert UserSession.objects.count() == 1
        # Nothing was looked at: the code it came with is still good.
        assert log_in(api, person, otp=app.code(steps=1)).status_code == 200

    def test_it_takes_five_tries(self, api: APIClient, person: User, app: Factor) -> None:
        token = challenge(api, person)
        tried = [verify(api, token, wrong(app)).status_code for _ in range(5)]

        assert tried == [401] * 5
        assert refusal_of(verify(api, token, app.code())) == TOKEN_INVALID
        assert verify(api, challenge(api, person), app.code()).status_code == 200

    def test_it_lives_five_minutes(
        self, api: APIClient, person: User, app: Factor, time_machine: TimeMachineFixture
    ) -> None:
        early, late = challenge(api, person), challenge(api, person)
        time_machine.shift(299)
        assert verify(api, early, app.code()).status_code == 200
        time_machine.shift(1)

        assert refusal_of(verify(api, late, app.code(steps=1))) == TOKEN_INVALID

    @pytest.mark.parametrize("change", ["password", "account", "factor"])
    def test_what_changes_meanwhile_voids_it(
        self,
        api: APIClient,
        person: User,
        app: Factor,
        time_machine: TimeMachineFixture,
        change: str,
    ) -> None:
        token = challenge(api, person)
        time_machine.shift(1)
        if change == "password":
            set_password(person)
        elif change == "account":
            User.objects.update(is_active=False)
        else:
            User.objects.clear_second_factor(person.pk)

        assert refusal_of(verify(api, token, app.code())) == TOKEN_INVALID
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
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
        ],
        ids=str,
    )
    def test_what_is_malformed_is_refused_and_not_counted(
        self, api: APIClient, person: User, app: Factor, body: dict[str, Any]
    ) -> None:
        challenge(api, person)
        before = rows()

        answer = api.post(VERIFY, body)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert rows() == before

    def test_a_token_nobody_issued_is_refused(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        assert refusal_of(verify(api, "x" * 43, app.code())) == TOKEN_INVALID
        assert SecondFactor.objects.get().window_tries == 0


class TestInOneStep:
    @pytest.mark.parametrize("kind", ["app", "recovery"])
    def test_a_code_beside_the_password_signs_in(
        self, api: APIClient, person: User, app: Factor, kind: str
    ) -> None:
        answer = log_in(api, person, otp=app.code() if kind == "app" else app.recovery_codes[9])

        assert answer.status_code == 200
        assert UserSession.objects.get().is_verified is True
        assert not SignInChallenge.objects.exists()

    def test_a_wrong_code_is_told_like_a_wrong_password(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        code, password = (
            log_in(api, person, otp=wrong(app)),
            log_in(api, person, password="Wrong-Horse-9"),
        )

        assert refusal_of(code) == refusal_of(password)
        assert not UserSession.objects.exists()

    def test_an_empty_one_counts_as_none(self, api: APIClient, person: User, app: Factor) -> None:
        assert log_in(api, person, otp="").json()["code"] == "mfa_required"


class TestACodeIsGoodOnce:
    SPELLINGS = (
        "{}",
        " {}",
        "{} ",
        "{0[0]}{0[1]}{0[2]} {0[3]}{0[4]}{0[5]}",
        "{}\u200b",
        "+{}",
        "0{}",
    )

    @pytest.mark.parametrize("spelling", SPELLINGS, ids=ascii)
    def test_a_used_one_is_refused_in_every_spelling(
        self, api: APIClient, person: User, app: Factor, spelling: str
    ) -> None:
        code = app.code()
        assert log_in(api, person, otp=code).status_code == 200

        assert log_in(api, person, otp=spelling.format(code)).status_code == 401
        assert UserSession.objects.count() == 1

    @pytest.mark.parametrize(
        "zero", ["\uff10", "\u0660", "\U0001d7ce"], ids=["full width", "Arabic", "bold"]
    )
    def test_other_digits_are_none_used_or_not(
        self, api: APIClient, person: User, app: Factor, zero: str
    ) -> None:
        code = "".join(chr(ord(zero) + int(digit)) for digit in app.code())

        assert log_in(api, person, otp=code).status_code == 401
        assert log_in(api, person, otp=app.code()).status_code == 200
        assert log_in(api, person, otp=code).status_code == 401

    def test_a_number_is_none(self, api: APIClient, person: User, app: Factor) -> None:
        assert log_in(api, person, otp=int(app.code())).status_code == 400

    def test_an_earlier_one_is_refused_after_a_later_one(
        self, api: APIClient, person: User, app: Factor, time_machine: TimeMachineFixture
    ) -> None:
        ahead, now, before = app.code(steps=1), app.code(), app.code(steps=-1)
        assert log_in(api, person, otp=ahead).status_code == 200

        assert [log_in(api, person, otp=code).status_code for code in (ahead, now, before)] == [
            401
        ] * 3
        time_machine.shift(STEP)
        assert log_in(api, person, otp=ahead).status_code == 401
        time_machine.shift(STEP)
        assert log_in(api, person, otp=app.code()).status_code == 200

    def test_a_clock_half_a_minute_off_does_no_harm(
        self, api: APIClient, person: User, app: Factor, time_machine: TimeMachineFixture
    ) -> None:
        assert log_in(api, person, otp=app.code(steps=-2)).status_code == 401
        assert log_in(api, person, otp=app.code(steps=2)).status_code == 401
        assert log_in(api, person, otp=app.code(steps=-1)).status_code == 200
        assert log_in(api, person, otp=app.code(steps=1)).status_code == 200

    def test_a_recovery_code_is_good_once_and_its_stored_digest_never(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        code = app.recovery_codes[0]
        stored = RecoveryCode.objects.values_list("digest", flat=True)[0]

        answers = [
            log_in(api, person, otp=it).status_code for it in (stored, code, code, code.upper())
        ]

        assert answers == [401, 200, 401, 401]

    def test_another_persons_are_none(self, api: APIClient, person: User, app: Factor) -> None:
        other = give_factor(UserFactory())

        assert [
            log_in(api, person, otp=it).status_code
            for it in (other.code(), other.recovery_codes[0])
        ] == [401, 401]

    def test_another_persons_seed_put_in_ones_row_is_worth_nothing(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        stranger = UserFactory()
        theirs = give_factor(stranger)
        SecondFactor.objects.filter(user=person).update(
            seed=SecondFactor.objects.get(user=stranger).seed
        )
        api.raise_request_exception = False

        assert log_in(api, person, otp=theirs.code()).status_code == 500
        assert not UserSession.objects.exists()


def replacing_the_seed(monkeypatch: pytest.MonkeyPatch, module: str, *, column: str) -> None:
    """Put another seed into the row while a code of the one before is looked at."""

    def somebody_is_faster(seed: bytes, code: str, *, timestamp: float) -> int | None:
        SecondFactor.objects.update(**{column: "another"})
        return matching_step(seed, code, timestamp=timestamp)

    monkeypatch.setattr(f"authentication.services.{module}.matching_step", somebody_is_faster)


def test_a_code_of_a_seed_replaced_meanwhile_is_none(
    api: APIClient, person: User, app: Factor, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacing_the_seed(monkeypatch, "sign_in.second_factor_codes", column="seed")

    assert log_in(api, person, otp=app.code()).status_code == 401
    assert not UserSession.objects.exists()


def test_a_code_confirms_the_seed_it_is_of_and_no_newer_one(
    api: APIClient, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(signed_in["access"])
    secret = api.post(f"{API}/2fa/totp/setup/", headers=headers).json()["secret"]
    replacing_the_seed(monkeypatch, "sign_in.second_factor", column="pending_seed")

    code = Factor(base64.b32decode(secret), []).code()
    answer = api.post(f"{API}/2fa/totp/confirm/", {"otp": code}, headers=headers)

    assert answer.status_code == 400
    assert User.objects.get().second_factor_at is None


class TestTenTriesAnHour:
    def guess(self, api: APIClient, person: User, app: Factor, count: int) -> list[int]:
        return [verify(api, challenge(api, person), wrong(app)).status_code for _ in range(count)]

    @pytest.fixture(autouse=True)
    def _many_sign_ins(self, settings: Settings) -> None:
        settings.RATE_LIMITS = {
            **settings.RATE_LIMITS,
            "login": "999/h",
            "second_factor_verify": "999/h",
        }

    def test_new_tokens_do_not_begin_a_new_count(
        self, api: APIClient, person: User, app: Factor, delivered: Deliver
    ) -> None:
        assert self.guess(api, person, app, 10) == [401] * 10

        answers = [
            verify(api, challenge(api, person), app.code()),
            verify(api, challenge(api, person), app.recovery_codes[0]),
            log_in(api, person, otp=app.code()),
        ]

        assert [(it.status_code, it.json()["code"]) for it in answers] == [
            (429, "rate_limited")
        ] * 3
        assert {it["Retry-After"] for it in answers} == {"3600"}
        assert not UserSession.objects.exists()
        assert AuditLog.objects.get(event_type="second_factor_blocked").risk_level == "high"
        (mail,) = delivered()
        assert mail.subject == "We stopped someone who knows your password"

    def test_an_hour_after_the_first_they_begin_anew(
        self, api: APIClient, person: User, app: Factor, time_machine: TimeMachineFixture
    ) -> None:
        self.guess(api, person, app, 5)
        time_machine.shift(1800)
        self.guess(api, person, app, 5)
        time_machine.shift(1799)
        assert log_in(api, person, otp=app.code()).status_code == 429
        time_machine.shift(1)

        assert log_in(api, person, otp=app.code()).status_code == 200
        assert self.guess(api, person, app, 11) == [401] * 10 + [429]

    def test_right_codes_do_not_count_and_do_not_forgive(
        self, api: APIClient, person: User, app: Factor, time_machine: TimeMachineFixture
    ) -> None:
        assert self.guess(api, person, app, 9) == [401] * 9
        for code in app.recovery_codes[:3]:
            assert log_in(api, person, otp=code).status_code == 200
        for _ in range(3):
            assert log_in(api, person, otp=app.code()).status_code == 200
            time_machine.shift(STEP)

        assert self.guess(api, person, app, 2) == [401, 429]

    def test_they_are_each_persons_own(self, api: APIClient, person: User, app: Factor) -> None:
        other = UserFactory()
        theirs = give_factor(other)
        self.guess(api, person, app, 10)

        assert log_in(api, other, otp=theirs.code()).status_code == 200

    def test_a_reset_does_not_begin_a_new_count(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        self.guess(api, person, app, 10)
        token = PasswordResetToken.objects.issue(person, at=NOON)
        api.post(f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD})

        assert log_in(api, person, password=NEW_PASSWORD, otp=app.code()).status_code == 429


class TestTheTokenIsGoodNowhereElse:
    def test_no_other_door_takes_it(self, api: APIClient, person: User, app: Factor) -> None:
        token = challenge(api, person)
        before = {
            name: found
            for name, found in rows().items()
            if name not in {"AuditLog", "OutgoingEmail"}
        }

        answers = [
            api.get(ME, headers=bearer(token)),
            api.post(f"{API}/token/refresh/", {"refresh": token}),
            api.post(f"{API}/token/verify/", {"token": token}),
            api.post(EXCHANGE, {"exchange_token": token}),
            api.post(f"{API}/email/verify/", {"token": token}),
            api.post(
                f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD}
            ),
            api.post(f"{API}/logout/", {"refresh": token}, headers=bearer(token)),
            api.post(f"{API}/account/disown-session/", {"token": token}),
            api.post(f"{API}/account/email/confirm/", {"token": token}),
            api.post(f"{API}/account/email/undo/", {"token": token}),
            api.post(f"{API}/reauthenticate/", {"otp": app.code()}, headers=bearer(token)),
            api.get(f"{API}/sessions/", headers=bearer(token)),
            api.post(f"{API}/2fa/disable/", headers=bearer(token)),
        ]

        assert {answer.json()["code"] for answer in answers} == {"token_invalid"}
        assert {
            name: found
            for name, found in rows().items()
            if name not in {"AuditLog", "OutgoingEmail"}
        } == before
        assert verify(api, token, app.code()).status_code == 200

    def test_its_door_takes_no_other_token(self, api: APIClient, person: User, app: Factor) -> None:
        tokens = log_in(api, person, otp=app.code()).json()
        others = [
            tokens["access"],
            tokens["refresh"],
            ExchangeTokenService.create(user_id=person.pk),
            PasswordResetToken.objects.issue(person, at=NOON),
            digest(challenge(api, person)),
        ]

        answers = [verify(api, token, app.code(steps=1)) for token in others]

        assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * len(others)


class TestNothingGoesRoundIt:
    def test_an_exchange_token_asks_for_the_code_too(
        self, browser: APIClient, person: User, app: Factor
    ) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)

        answer = browser.post(EXCHANGE, {"exchange_token": exchange})

        body = answer.json()
        assert (answer.status_code, body["code"], body["mfa_methods"]) == (
            403,
            "mfa_required",
            BOTH,
        )
        assert cookie_of(answer) is None
        assert not UserSession.objects.exists()
        assert verify(browser, body["mfa_token"], app.code()).status_code == 200
        session = UserSession.objects.get()
        # A mailed link is no proof, so nothing grave can be done yet.
        assert (session.is_verified, session.reauthenticated_at) == (True, None)
        assert AuditLog.objects.filter(event_type="token_exchange", success=True).count() == 1

    def test_an_exchange_token_asks_once(self, api: APIClient, person: User, app: Factor) -> None:
        exchange = ExchangeTokenService.create(user_id=person.pk)
        api.post(EXCHANGE, {"exchange_token": exchange})

        assert api.post(EXCHANGE, {"exchange_token": exchange}).status_code == 400

    def test_a_reset_needs_no_code_and_leaves_the_factor(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        token = PasswordResetToken.objects.issue(person, at=NOON)
        body = {"token": token, "new_password": NEW_PASSWORD}

        assert api.post(f"{API}/password/reset/confirm/", body).status_code == 200

        assert challenge(api, person, password=NEW_PASSWORD)
        assert not UserSession.objects.exists()
        assert log_in(api, person, password=NEW_PASSWORD, otp=app.code()).status_code == 200

    def test_a_factor_set_up_while_the_password_was_checked_is_asked_for(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def somebody_is_faster(**asked: Any) -> User:
            proven = prove_identity(**asked)
            give_factor(User.objects.get(pk=proven.pk))
            return proven

        monkeypatch.setattr(
            "authentication.services.sign_in.authentication.prove_identity", somebody_is_faster
        )

        assert log_in(api, person).status_code == 401
        assert not UserSession.objects.exists()

    def test_an_unproven_address_is_told_before_the_factor(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        User.objects.update(email_verified=False, email_verified_at=None)

        assert log_in(api, person, otp=app.code()).json()["code"] == "email_not_verified"


class TestTheSessionsLevel:
    def test_a_refresh_keeps_it(self, api: APIClient, person: User, app: Factor) -> None:
        tokens: Tokens = log_in(api, person, otp=app.code()).json()
        api.cookies.clear()
        for _ in range(3):
            tokens = refreshed(api, tokens["refresh"])

        assert UserSession.objects.get().is_verified is True

    def test_a_change_of_the_password_keeps_it(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        tokens = log_in(api, person, otp=app.code()).json()
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        api.post(f"{API}/password/change/", body, headers=bearer(tokens["access"]))

        assert UserSession.objects.get(is_active=True).is_verified is True

    def test_a_refresh_lifts_none_after_a_factor_was_set_up_elsewhere(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        give_factor(person)
        time_machine.shift(dt.timedelta(minutes=1))

        refreshed(api, signed_in["refresh"])

        assert UserSession.objects.get().is_verified is False


def test_a_browser_that_stops_at_the_factor_keeps_its_csrf_token(
    browser: APIClient, person: User, app: Factor
) -> None:
    assert "csrftoken" not in log_in(browser, person).cookies
