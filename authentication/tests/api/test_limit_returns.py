"""What succeeds is given back to the limit of its address, and nothing else is."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import EmailVerificationToken, PasswordResetToken, User
from authentication.services import ExchangeTokenService
from authentication.tests.answers import problem_code
from authentication.tests.clients import LOGIN, VERIFY, WRONG_PASSWORD, Tokens, log_in, sign_in
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory, give_factor, unverified_user
from authentication.tests.limits import set_limits

from .second_factor import get_challenge, verify, wrong_code

UNKNOWN = "nobody@example.org"
Act = Callable[[APIClient, User], Any]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


def remaining(answer: Any) -> int:
    """Return how many requests the answer says are left."""
    return int(answer["RateLimit"].split(";")[1].removeprefix("r="))


def guess(api: APIClient, name: str = UNKNOWN) -> Any:
    """Guess a password from an unknown device."""
    return api.post(LOGIN, {"email": name, "password": WRONG_PASSWORD})


def enter(api: APIClient, person: User) -> Any:
    """Sign in from an unknown device."""
    answer = log_in(api, person)
    api.cookies.clear()
    return answer


def exchange(api: APIClient, person: User) -> Any:
    token = ExchangeTokenService.create(user_id=person.pk)
    return api.post(f"{API}/exchange-token/", {"exchange_token": token})


def verify_email(api: APIClient, person: User) -> Any:
    User.objects.filter(pk=person.pk).update(email_verified=False, email_verified_at=None)
    token = EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())
    return api.post(f"{API}/email/verify/", {"token": token})


def reset_password(api: APIClient, person: User) -> Any:
    token = PasswordResetToken.objects.issue(person, at=timezone.now())
    body = {"token": token, "new_password": "Another-Horse-7"}
    return api.post(f"{API}/password/reset/confirm/", body)


SUCCESSES: dict[str, tuple[Act, int]] = {
    "a sign-in": (enter, 25),
    "an exchange token": (exchange, 10),
    "a verification link": (verify_email, 10),
    "a reset link": (reset_password, 10),
}
FAILURES: dict[str, tuple[str, dict[str, str]]] = {
    "a wrong password": (LOGIN, {"email": UNKNOWN, "password": WRONG_PASSWORD}),
    "a wrong exchange token": (f"{API}/exchange-token/", {"exchange_token": "x"}),
    "a wrong link": (f"{API}/email/verify/", {"token": "x"}),
    "a wrong reset link": (f"{API}/password/reset/confirm/", {"token": "x", "new_password": "y"}),
    "a dead access token": (VERIFY, {"token": "x"}),
    "a reset request": (f"{API}/password/reset/", {"email": UNKNOWN}),
    "a resend request": (f"{API}/email/resend/", {"email": UNKNOWN}),
}


@pytest.mark.parametrize("name", SUCCESSES)
def test_a_success_is_given_back(api: APIClient, person: User, name: str) -> None:
    act, quota = SUCCESSES[name]

    answers = []
    for _ in range(3):
        answers.append(act(api, UserFactory()))
        api.cookies.clear()

    assert {answer.status_code for answer in answers} == {200}
    assert [remaining(answer) for answer in answers] == [quota] * 3


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_not_given_back(api: APIClient, db: None, name: str) -> None:
    url, body = FAILURES[name]

    first, second = api.post(url, body), api.post(url, body)

    assert remaining(second) == remaining(first) - 1


def test_a_live_access_token_is_given_back(api: APIClient, signed_in: Tokens) -> None:
    answers = [api.post(VERIFY, {"token": signed_in["access"]}) for _ in range(120)]

    assert {(it.status_code, remaining(it)) for it in answers} == {(200, 100)}


def test_a_right_code_is_given_back_and_a_wrong_one_is_not(api: APIClient, person: User) -> None:
    factor = give_factor(person)

    wrong = verify(api, get_challenge(api, person), wrong_code(factor))
    right = verify(api, get_challenge(api, person), factor.code())

    assert (wrong.status_code, remaining(wrong)) == (401, 24)
    assert (right.status_code, remaining(right)) == (200, 24)


def test_a_right_password_is_given_back_although_the_sign_in_is_refused(
    api: APIClient, db: None
) -> None:
    with_factor = UserFactory()
    give_factor(with_factor)
    people = [with_factor, unverified_user(), UserFactory(is_active=False)]

    answers = [enter(api, person) for person in people]

    assert [problem_code(it) for it in answers] == [
        "mfa_required",
        "email_not_verified",
        "account_disabled",
    ]
    assert {remaining(it) for it in answers} == {25}


def test_a_guesser_who_signs_in_between_guesses_gets_25_guesses(
    api: APIClient, person: User
) -> None:
    guesses = []
    for number in range(30):
        guesses.append(guess(api, f"member{number}@example.org").status_code)
        enter(api, person)

    assert guesses == [401] * 25 + [429] * 5
    assert enter(api, person).status_code == 429


def test_a_lock_is_not_given_back(api: APIClient, person: User) -> None:
    answers = [guess(api, person.email) for _ in range(6)]

    assert problem_code(answers[-1]) == "account_locked"
    assert remaining(answers[-1]) == 25 - 6


def test_a_request_of_the_last_window_gives_nothing_back_to_the_next(
    api: APIClient,
    person: User,
    settings: Settings,
    time_machine: TimeMachineFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_limits(settings, login="5/m")
    failures: list[int] = []

    def next_window_first(*_: Any, **__: Any) -> bool:
        # While this password is hashed, the window ends and others fail in the next one.
        if not failures:
            time_machine.shift(dt.timedelta(minutes=2))
            failures.extend(remaining(guess(APIClient(), f"x{n}@example.org")) for n in range(2))
        return True

    monkeypatch.setattr(User, "check_password", next_window_first)
    assert enter(api, person).status_code == 200
    monkeypatch.undo()

    assert failures == [4, 3]
    assert remaining(guess(api)) == 2


class TestRegistration:
    URL = f"{API}/register/"

    def register(self, api: APIClient, email: str, **body: str) -> Any:
        return api.post(self.URL, {"email": email, "password": PASSWORD, **body})

    def test_malformed_registrations_are_counted_by_themselves(
        self, api: APIClient, person: User
    ) -> None:
        malformed = [
            {"email": "x", "password": PASSWORD},
            {"email": "a@example.org", "password": "weak"},
            {"email": "a@example.org", "password": PASSWORD, "username": person.username},
            {"email": "a@example.org"},
        ]
        answers = [api.post(self.URL, malformed[n % 4]) for n in range(61)]

        accepted = [self.register(api, f"new{n}@example.org") for n in range(6)]

        assert [it.status_code for it in answers] == [400] * 60 + [429]
        assert answers[0]["RateLimit-Policy"] == '"register_malformed";q=60;w=3600'
        assert [it.status_code for it in accepted] == [201] * 5 + [429]
        assert [remaining(it) for it in accepted] == [4, 3, 2, 1, 0, 0]

    def test_a_body_that_cannot_be_read_is_a_malformed_registration(self, api: APIClient) -> None:
        answers = [
            api.post(self.URL, "{", content_type="application/json"),
            api.post(self.URL, "x", content_type="text/plain"),
        ]

        assert [(it.status_code, remaining(it)) for it in answers] == [(400, 59), (415, 58)]

    def test_a_taken_address_counts_as_a_new_one(self, api: APIClient, person: User) -> None:
        taken = self.register(api, person.email, REMOTE_ADDR="192.0.2.1")
        fresh = self.register(api, "new@example.org", REMOTE_ADDR="192.0.2.2")

        assert (taken.status_code, fresh.status_code) == (201, 201)
        assert remaining(taken) - remaining(fresh) == 1


class TestNoEnumeration:
    """The RateLimit fields do not tell whether a name has an account."""

    @pytest.mark.parametrize("device", ["", "x" * 43], ids=["no device", "a made-up device"])
    @pytest.mark.parametrize("url", ["login/", "password/reset/", "email/resend/", "register/"])
    def test_known_and_unknown_names_count_alike(
        self, api: APIClient, person: User, url: str, device: str
    ) -> None:
        headers = {"X-Device-Id": device} if device else {}
        another_account = sign_in(api, UserFactory())["device_id"]

        def fields(name: str, address: str, device_headers: dict[str, str]) -> list[str]:
            body = {"email": name, "password": WRONG_PASSWORD}
            answers = [
                api.post(f"{API}/{url}", body, headers=device_headers, REMOTE_ADDR=address)
                for _ in range(30)
            ]
            return [f"{it.status_code} {it['RateLimit'].split(';t=')[0]}" for it in answers]

        known = fields(person.email, "192.0.2.1", headers)
        unknown = fields(UNKNOWN, "192.0.2.2", headers)
        with_foreign = fields(person.email, "192.0.2.3", {"X-Device-Id": another_account})

        assert known == unknown
        assert [it.split()[1] for it in with_foreign] == [it.split()[1] for it in unknown]
