"""Known devices are counted by themselves: a hall shares one address with a guesser."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import PasswordResetToken, User
from authentication.tests.answers import problem_code, rows
from authentication.tests.clients import REFRESH, WRONG_PASSWORD, sign_in
from authentication.tests.conftest import API, queries
from authentication.tests.factories import PASSWORD, UserFactory, give_factor
from authentication.tests.limits import csrf_status, set_limits

from .lockout import attempt, fail, known_device, stored_device
from .second_factor import get_challenge, wrong_code

UNKNOWN = "nobody@example.org"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


def spend_login_limit(api: APIClient) -> None:
    """Guess from the tests' address until it is over the limit of sign-ins."""
    number = 0
    while attempt(api, f"stranger{number}@example.org").status_code != 429:
        number += 1


@pytest.mark.slow
def test_300_known_devices_and_a_guesser_share_an_address(api: APIClient, db: None) -> None:
    people = [UserFactory() for _ in range(300)]
    devices = [stored_device(person) for person in people]
    members: list[int] = []
    guesses: list[int] = []

    for number, (person, device) in enumerate(zip(people, devices, strict=True)):
        if number % 8 == 0:
            mistake = attempt(api, person.email, WRONG_PASSWORD, device=device)
            assert mistake.status_code == 401
        signed_in = attempt(api, person.email, PASSWORD, device=device)
        refreshed = api.post(REFRESH, {"refresh": signed_in.json()["refresh"]})
        members += [signed_in.status_code, refreshed.status_code, csrf_status(api)]
        if number % 4 == 0:
            guesses.append(attempt(api, people[-1 - number].email).status_code)

    assert members == [200] * 900
    assert guesses == [401] * 25 + [429] * 50


@pytest.mark.slow
def test_members_on_unknown_devices_who_succeed_share_an_address(api: APIClient, db: None) -> None:
    statuses, left = set(), set()

    for _ in range(200):
        answer = attempt(api, UserFactory().email, PASSWORD)
        verified = api.post(f"{API}/token/verify/", {"token": answer.json()["access"]})
        statuses |= {answer.status_code, verified.status_code}
        left |= {answer["RateLimit"].split(";")[1], verified["RateLimit"].split(";")[1]}

    assert (statuses, left) == ({200}, {"r=25", "r=100"})


def test_a_known_device_has_a_limit_of_its_own(
    api: APIClient, person: User, settings: Settings
) -> None:
    set_limits(settings, login="3/h")
    device, other = known_device(api, person), known_device(api, person)

    statuses = [attempt(api, person.email, device=device).status_code for _ in range(4)]

    assert statuses == [401, 401, 401, 429]
    assert attempt(api, person.email, PASSWORD, device=other).status_code == 200
    assert attempt(api, UNKNOWN)["RateLimit"].startswith('"login";r=2;')


def test_an_attempt_over_the_limit_of_a_device_is_not_counted_for_its_lock(
    api: APIClient, person: User, settings: Settings
) -> None:
    set_limits(settings, login="1/h")
    device = known_device(api, person)
    for _ in range(8):
        attempt(api, person.email, device=device)
    set_limits(settings, login="9/h")

    assert attempt(api, person.email, PASSWORD, device=device).status_code == 200


@pytest.mark.parametrize("device", ["", "x" * 43, "another account's"])
def test_over_the_limit_an_unknown_device_is_refused_and_changes_nothing(
    api: APIClient, person: User, device: str
) -> None:
    if device == "another account's":
        device = known_device(api, UserFactory())
    spend_login_limit(api)
    before = rows()

    answers = [attempt(api, name, PASSWORD, device=device) for name in (person.email, UNKNOWN)]

    assert [problem_code(it) for it in answers] == ["rate_limited"] * 2
    assert rows() == before


def test_over_the_limit_a_malformed_request_with_a_device_is_refused(
    api: APIClient, person: User
) -> None:
    headers = {"X-Device-Id": known_device(api, person)}
    spend_login_limit(api)

    answers = [api.post(f"{API}/login/", {}, headers=headers) for _ in range(2)]

    assert [problem_code(it) for it in answers] == ["rate_limited"] * 2


def test_over_the_limit_known_and_unknown_names_make_the_same_statements(
    api: APIClient, person: User, django_assert_num_queries: Any
) -> None:
    spend_login_limit(api)
    statements = {}

    for name in (person.email, UNKNOWN):
        with django_assert_num_queries(3) as captured:
            assert attempt(api, name, device="x" * 43).status_code == 429
        statements[name] = [it.split("WHERE")[0] for it in queries(captured)]

    assert statements[person.email] == statements[UNKNOWN]


@pytest.mark.parametrize("url", ["password/reset/", "email/resend/"])
def test_a_known_device_may_ask_for_a_mail_although_strangers_spent_the_limit(
    api: APIClient, person: User, url: str
) -> None:
    device = known_device(api, person)
    while api.post(f"{API}/{url}", {"email": UNKNOWN}).status_code != 429:
        pass

    def ask(device: str) -> int:
        headers = {"X-Device-Id": device}
        answer = api.post(f"{API}/{url}", {"email": person.email}, headers=headers)
        return int(answer.status_code)

    assert [ask("x" * 43), *(ask(device) for _ in range(6))] == [429, *[200] * 5, 429]


def test_a_known_device_may_follow_a_link_although_strangers_spent_the_limit(
    api: APIClient, person: User
) -> None:
    url = f"{API}/password/reset/confirm/"
    device = known_device(api, person)
    while api.post(url, {"token": "x", "new_password": PASSWORD}).status_code != 429:
        pass
    body = {
        "token": PasswordResetToken.objects.issue(person, at=timezone.now()),
        "new_password": "Another-Horse-7",
    }

    unknown = api.post(url, body, headers={"X-Device-Id": "x" * 43})
    known = api.post(url, body, headers={"X-Device-Id": device})

    assert (unknown.status_code, known.status_code) == (429, 200)


def test_wrong_codes_on_a_known_device_do_not_count_for_the_address(
    api: APIClient, person: User
) -> None:
    device = str(sign_in(api, person)["device_id"])
    factor = give_factor(person)
    token = get_challenge(api, person)
    body = {"mfa_token": token, "otp": wrong_code(factor)}

    known = api.post(f"{API}/2fa/verify/", body, headers={"X-Device-Id": device})
    unknown = api.post(f"{API}/2fa/verify/", body)

    assert [it.status_code for it in (known, unknown)] == [401, 401]
    assert [it["RateLimit"].split(";")[1] for it in (known, unknown)] == ["r=24", "r=24"]


def test_a_lock_of_the_name_does_not_reach_a_known_device_over_the_limit(
    api: APIClient, person: User
) -> None:
    device = known_device(api, person)
    fail(api, person.email, 5)
    spend_login_limit(api)

    assert attempt(api, person.email, PASSWORD, device=device).status_code == 200
