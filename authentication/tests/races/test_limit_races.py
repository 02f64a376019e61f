"""Rate limits with many callers, and what is given back while Redis comes and goes."""

import itertools
import socket
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import LOGIN, WRONG_PASSWORD
from authentication.tests.conftest import API, forget_cached
from authentication.tests.factories import PASSWORD, UserFactory
from vineyard_group_fellowship.cache import breaker
from vineyard_group_fellowship.settings import base

from .crowd import all_at_once, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = True
    # What a process counts by itself outlives the test that made it count.
    LocMemCache("failover", {}).clear()


def enter(person: User) -> Any:
    return APIClient().post(LOGIN, {"email": person.email, "password": PASSWORD})


def guess(number: int) -> Any:
    body = {"email": f"stranger{number}@example.org", "password": WRONG_PASSWORD}
    return APIClient().post(LOGIN, body)


def remaining(answer: Any) -> int:
    return int(answer["RateLimit"].split(";")[1].removeprefix("r="))


def test_sign_ins_and_guesses_at_once_leave_the_guesses_counted(db: None) -> None:
    people = [UserFactory() for _ in range(10)]
    acts = [
        *(lambda person=person: enter(person) for person in people),
        *(lambda number=number: guess(number) for number in range(10)),
    ]

    answers = all_at_once(*itertools.chain(*zip(acts[:10], acts[10:], strict=True)))

    assert statuses(answers) == {200: 10, 401: 10}
    assert remaining(guess(99)) == 25 - 11


def test_25_of_60_forged_access_tokens_at_once_are_told_so(settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_verify": "25/h"}

    def check() -> Any:
        return APIClient().post(f"{API}/token/verify/", {"token": "forged"})

    answers = all_at_once(*[check] * 60)

    assert statuses(answers) == {401: 25, 429: 35}


def test_25_of_60_guesses_at_once_are_compared(db: None) -> None:
    answers = all_at_once(*(lambda number=number: guess(number) for number in range(60)))

    assert statuses(answers) == {401: 25, 429: 35}


@pytest.mark.parametrize("first_in", ["redis", "process"])
def test_an_attempt_is_given_back_where_it_was_counted(
    person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, first_in: str
) -> None:
    working = settings.CACHES
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def use(store: str) -> None:
        down = base.caches(f"redis://127.0.0.1:{port}/0")
        settings.CACHES = working if store == "redis" else down
        breaker.reset()

    other = "process" if first_in == "redis" else "redis"
    for store in (other, first_in):
        use(store)
        guess(1)
        guess(2)

    def switch(*_: Any) -> bool:
        use(other)
        return True

    monkeypatch.setattr(User, "check_password", switch)
    assert enter(person).status_code == 200
    monkeypatch.undo()

    # Two failures stay here. There the success was counted, and given back if it could be.
    assert remaining(guess(3)) == 25 - 3
    use(first_in)
    assert remaining(guess(3)) in ({25 - 4} if first_in == "redis" else {25 - 3})


def test_a_success_is_given_back_in_the_process_while_redis_is_down(
    person: User, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.CACHES = base.caches(f"redis://127.0.0.1:{port}/0")

    answers = [enter(person) for _ in range(30)]

    assert statuses(answers) == {200: 30}
    assert remaining(guess(1)) == 24


def test_a_count_that_the_store_lost_does_not_fall_below_zero(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: Any) -> bool:
        forget_cached()
        return True

    monkeypatch.setattr(User, "check_password", lose)
    assert enter(person).status_code == 200
    monkeypatch.undo()

    assert remaining(guess(1)) == 24


def test_a_count_of_before_a_loss_does_not_take_back_more_than_came_since() -> None:
    limits: Any = caches["limits"]
    limits.count("tries", 60)
    lost = limits.counted
    forget_cached()
    limits.count("tries", 60)

    left = [limits.uncount(it) for it in (limits.counted, lost)]

    assert (left, limits.get("tries")) == ([0, 0], 0)
