"""Concurrent uses, setups and removals of a second factor."""

import base64
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditLog,
    OutgoingEmail,
    RecoveryCode,
    SecondFactor,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.tests.clients import Tokens, sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, Factor, UserFactory, give_factor
from authentication.utils.one_time_codes import matching_step

from .crowd import all_at_once, posts, statuses

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    # Fifty connections at once: one such test at a time.
    pytest.mark.xdist_group("many connections"),
]

LOGIN, VERIFY, URL = f"{API}/login/", f"{API}/2fa/verify/", f"{API}/2fa"


@pytest.fixture(autouse=True)
def _no_limits_of_addresses(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def app(person: User) -> Factor:
    """Return the second factor of the person."""
    return give_factor(person)


def challenges(person: User, count: int) -> list[str]:
    """Return the tokens of so many sign-ins that stopped at the factor."""
    body = {"email": person.email, "password": PASSWORD}
    return [APIClient().post(LOGIN, body).json()["mfa_token"] for _ in range(count)]


def post(url: str, tokens: Tokens, **body: Any) -> Any:
    return APIClient().post(url, body, headers=bearer(tokens["access"]))


class TestRightCodes:
    def test_twenty_with_one_token_open_one_session(self, person: User, app: Factor) -> None:
        (token,), code = challenges(person, 1), app.code()

        answers = posts(20, VERIFY, lambda _: {"mfa_token": token, "otp": code})

        assert statuses(answers) == {200: 1, 401: 19}
        assert UserSession.objects.count() == 1

    def test_twenty_with_a_token_each_open_one_session(self, person: User, app: Factor) -> None:
        tokens, code = challenges(person, 20), app.code()

        answers = posts(20, VERIFY, lambda number: {"mfa_token": tokens[number], "otp": code})

        assert statuses(answers)[200] == 1
        assert statuses(answers).keys() <= {200, 401, 429}
        assert UserSession.objects.count() == 1

    def test_twenty_sign_ins_with_one_code_open_one_session(
        self, person: User, app: Factor
    ) -> None:
        body = {"email": person.email, "password": PASSWORD, "otp": app.code()}

        answers = posts(20, LOGIN, lambda _: body)

        assert statuses(answers)[200] == 1
        assert statuses(answers).keys() <= {200, 401, 403, 429}
        assert UserSession.objects.count() == 1
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_ten_recovery_codes_with_one_token_open_one_session(
        self, person: User, app: Factor
    ) -> None:
        (token,) = challenges(person, 1)

        answers = posts(
            10, VERIFY, lambda number: {"mfa_token": token, "otp": app.recovery_codes[number]}
        )

        assert statuses(answers) == {200: 1, 401: 9}
        assert UserSession.objects.count() == 1

    def test_of_sixteen_uses_of_a_recovery_code_one_succeeds(
        self, person: User, app: Factor
    ) -> None:
        tokens, code = challenges(person, 16), app.recovery_codes[0]

        answers = posts(
            16, VERIFY, lambda number: {"mfa_token": tokens[number], "recovery_code": code}
        )

        assert statuses(answers) == {200: 1, 401: 15}
        assert UserSession.objects.count() == 1
        assert RecoveryCode.objects.unused(person.pk).count() == 9
        # Only codes of the app are counted.
        assert SecondFactor.objects.get().window_tries == 0


class TestWrongCodes:
    def test_of_fifty_wrong_codes_with_fifty_tokens_ten_are_checked(
        self, person: User, app: Factor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        looked: list[str] = []

        def looking(seed: bytes, code: str, *, timestamp: float) -> int | None:
            looked.append(code)
            return matching_step(seed, code, timestamp=timestamp)

        monkeypatch.setattr(
            "authentication.services.sign_in.second_factor_codes.matching_step", looking
        )
        tokens, wrong = challenges(person, 50), app.code(steps=9)

        answers = posts(50, VERIFY, lambda number: {"mfa_token": tokens[number], "otp": wrong})

        assert len(looked) == 10
        assert statuses(answers) == {401: 10, 429: 40}
        assert SecondFactor.objects.get().window_tries == 10
        assert AuditLog.objects.filter(event_type="second_factor_blocked").count() == 1
        assert OutgoingEmail.objects.filter(kind="second_factor_blocked").count() == 1
        assert not UserSession.objects.exists()

    def test_of_fifty_with_one_token_five_are_looked_at(self, person: User, app: Factor) -> None:
        (token,), wrong = challenges(person, 1), app.code(steps=9)

        answers = posts(50, VERIFY, lambda _: {"mfa_token": token, "otp": wrong})

        codes = [answer.json()["code"] for answer in answers]
        assert statuses(answers) == {401: 50}
        assert (codes.count("code_invalid"), codes.count("token_invalid")) == (5, 45)
        assert SecondFactor.objects.get().window_tries == 5


class TestSettingUpAndGivingUp:
    def test_of_ten_confirmations_one_shows_recovery_codes_that_work(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)
        secret = post(f"{URL}/totp/setup/", tokens, password=PASSWORD).json()["secret"]
        code = Factor(_from_base32(secret), []).code()

        answers = all_at_once(*[partial(post, f"{URL}/totp/confirm/", tokens, otp=code)] * 10)

        assert statuses(answers)[200] == 1
        assert statuses(answers).keys() <= {200, 400, 403}
        (shown,) = (
            answer.json()["recovery_codes"] for answer in answers if answer.status_code == 200
        )
        assert RecoveryCode.objects.unused(person.pk).count() == 10
        body = {"email": person.email, "password": PASSWORD, "otp": shown[0]}
        assert api.post(LOGIN, body).status_code == 200

    def test_concurrent_setups_leave_one_secret_that_can_be_confirmed(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)

        setup = partial(post, f"{URL}/totp/setup/", tokens, password=PASSWORD)
        # Each reserves one of the five tries of a password.
        answers = all_at_once(*[setup] * 5)

        assert statuses(answers) == {200: 5}
        codes = {Factor(_from_base32(answer.json()["secret"]), []).code() for answer in answers}
        confirmed = [post(f"{URL}/totp/confirm/", tokens, otp=code).status_code for code in codes]
        assert confirmed.count(200) == 1

    def test_ten_renewals_leave_ten_recovery_codes(
        self, api: APIClient, person: User, app: Factor
    ) -> None:
        tokens = sign_in(api, person, otp=app.code())

        answers = all_at_once(*[partial(post, f"{URL}/recovery-codes/", tokens)] * 10)

        assert statuses(answers) == {200: 10}
        assert RecoveryCode.objects.unused(person.pk).count() == 10

    def test_code_concurrent_with_disabling_leaves_no_verified_session(
        self, api: APIClient
    ) -> None:
        for number in range(4):
            person = UserFactory(email=f"moment{number}@example.org")
            app = give_factor(person)
            tokens = sign_in(api, person, otp=app.recovery_codes[0])
            waiting, code = challenges(person, 3), app.code()

            given_up, *answers = all_at_once(
                partial(post, f"{URL}/disable/", tokens),
                *[
                    partial(APIClient().post, VERIFY, {"mfa_token": token, "otp": code})
                    for token in waiting
                ],
            )

            assert given_up.status_code == 200
            assert statuses(answers).keys() <= {200, 401}
            assert UserSession.objects.filter(user=person, is_active=True).count() == 1

    def test_exchange_and_password_at_once_open_nothing_without_the_code(
        self, person: User, app: Factor
    ) -> None:
        exchange = [ExchangeTokenService.create(user_id=person.pk) for _ in range(5)]

        answers = posts(
            5, f"{API}/exchange-token/", lambda number: {"exchange_token": exchange[number]}
        )

        assert statuses(answers) == {403: 5}
        assert not UserSession.objects.exists()


def _from_base32(secret: str) -> bytes:
    return base64.b32decode(secret)
