"""The counts of attempts, where requests cross each other."""

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import Attempt, User, UserSession
from authentication.models.user_queries import UserQuerySet
from authentication.services.sign_in.attempt_counters import (
    AccountCounter,
    AttemptCounter,
    Lock,
    NameCounter,
)
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory
from vineyard_group_fellowship.settings.base import caches as caches_of

NOBODY = "nobody@example.org"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_cache(settings: Settings) -> None:
    settings.CACHES = caches_of("")
    caches["limits"].clear()


@pytest.fixture(params=["account", "name"])
def counter(request: pytest.FixtureRequest, person: User) -> AttemptCounter:
    return AccountCounter(person) if request.param == "account" else NameCounter(NOBODY)


def reserve(counter: AttemptCounter, times: int) -> list[Attempt]:
    return [counter.reserve() for _ in range(times)]


def test_attempts_that_were_refused_leave_no_trace_when_the_last_one_is_released(
    counter: AttemptCounter,
) -> None:
    assert reserve(counter, 8) == [Attempt.COUNTED] * 4 + [Attempt.LAST] + [Attempt.REFUSED] * 3

    counter.release(Attempt.LAST)
    assert reserve(counter, 2) == [Attempt.LAST, Attempt.REFUSED]

    counter.release(Attempt.LAST)
    counter.release(Attempt.COUNTED)
    assert reserve(counter, 3) == [Attempt.COUNTED, Attempt.LAST, Attempt.REFUSED]


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_an_attempt_released_after_the_last_one_lets_no_other_in(
    counter: AttemptCounter, *, is_confirmed: bool
) -> None:
    reserve(counter, 5)
    if is_confirmed:
        counter.confirm()
    lock = counter.lock()

    counter.release(Attempt.COUNTED)

    assert counter.reserve() is Attempt.REFUSED
    assert counter.lock() == lock
    assert lock.is_pending is not is_confirmed


def test_an_attempt_that_comes_late_leaves_a_later_lock_alone(person: User) -> None:
    late, later = AccountCounter(person), AccountCounter(person)
    reserve(late, 5)
    User.objects.clear_attempts(person.pk)
    reserve(later, 5)

    assert not late.confirm()
    late.release(Attempt.LAST)

    assert later.lock().is_pending
    assert later.reserve() is Attempt.REFUSED
    assert later.confirm()


def test_a_lock_set_by_hand_is_not_lifted_with_the_one_before(person: User) -> None:
    counter = AccountCounter(person)
    reserve(counter, 5)
    person.lock_account()

    counter.confirm()
    counter.release(Attempt.LAST)

    assert counter.reserve() is Attempt.REFUSED
    assert counter.lock().is_manual


def test_an_account_that_is_gone_is_not_locked(person: User) -> None:
    counter = AccountCounter(person)
    person.delete()

    assert counter.lock().until is None


@pytest.mark.parametrize("left", [None, 5, 7], ids=["nothing", "the last attempt's count", "more"])
def test_a_name_is_not_locked_for_ever_whatever_a_fault_left_of_its_count(left: int | None) -> None:
    counter = NameCounter(NOBODY)
    reserve(counter, 1)
    key = counter._count
    caches["limits"].delete(key) if left is None else caches["limits"].set(key, left, 86_400)

    assert reserve(counter, 6) == ([Attempt.COUNTED] * 4 if left is None else []) + [
        Attempt.LAST
    ] + [Attempt.REFUSED] * (1 if left is None else 5)
    assert counter.lock().until


def test_nothing_is_taken_from_a_count_that_is_gone() -> None:
    counter = NameCounter(NOBODY)

    counter.release(Attempt.COUNTED)

    assert reserve(counter, 6) == [Attempt.COUNTED] * 4 + [Attempt.LAST, Attempt.REFUSED]


def test_nor_from_one_that_was_kept_elsewhere() -> None:
    counter = NameCounter(NOBODY)
    reserve(counter, 5)
    # The server that the other five were counted on is back, and knows of two.
    caches["limits"].set(counter._count, 2, 86_400)

    counter.release(Attempt.LAST)

    assert reserve(counter, 6) == [Attempt.COUNTED] * 4 + [Attempt.LAST, Attempt.REFUSED]


def test_nor_while_the_server_is_away(settings: Settings) -> None:
    LocMemCache("failover", {}).clear()
    settings.CACHES = caches_of("redis://127.0.0.1:1/0")

    test_nothing_is_taken_from_a_count_that_is_gone()


def test_a_count_that_runs_out_between_two_steps_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def there_a_moment_ago(*_: object) -> bool:
        monkeypatch.undo()
        return False

    monkeypatch.setattr(type(caches["limits"]), "add", there_a_moment_ago)

    assert reserve(NameCounter(NOBODY), 6) == [Attempt.COUNTED] * 4 + [
        Attempt.LAST,
        Attempt.REFUSED,
    ]


def test_a_lock_lifted_while_it_is_looked_at_is_none(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        User.objects.reserve_attempt(person.pk, at=timezone.now())
    look = AccountCounter.lock

    def lifted(counter: AccountCounter) -> Lock:
        User.objects.clear_attempts(person.pk)
        return look(counter)

    monkeypatch.setattr(AccountCounter, "lock", lifted)

    assert log_in(api, person).status_code == 200


def test_a_success_between_two_steps_leaves_no_lock(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        User.objects.reserve_attempt(person.pk, at=timezone.now())
    unlocked = UserQuerySet.update

    def update(found: UserQuerySet, **fields: Any) -> int:
        monkeypatch.undo()
        count = unlocked(found, **fields)
        User.objects.clear_attempts(person.pk)
        return count

    monkeypatch.setattr(UserQuerySet, "update", update)

    User.objects.reserve_attempt(person.pk, at=timezone.now())

    person.refresh_from_db()
    assert (person.failed_login_attempts, person.locked_until) == (0, None)


@pytest.mark.parametrize(
    ("owner", "method"),
    [(UserQuerySet, "reserve_attempt"), (User, "check_password"), (UserSession, "save")],
    ids=["counting", "comparing", "signing in"],
)
def test_a_database_that_fails_costs_nobody_an_attempt(
    api: APIClient,
    person: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    owner: type,
    method: str,
) -> None:
    settings.RATELIMIT_ENABLE = False
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, fail)
        statuses = [log_in(api, person).status_code for _ in range(6)]

    assert statuses == [503] * 6
    assert log_in(api, person).status_code == 200


def test_nor_does_one_that_fails_while_another_attempt_is_waited_for(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False
    reserve(AccountCounter(person), 5)
    with monkeypatch.context() as patch:
        patch.setattr("authentication.services.sign_in.credentials.decided", fail)
        statuses = [log_in(api, person).status_code for _ in range(6)]
    User.objects.clear_attempts(person.pk)

    assert statuses == [503] * 6
    assert log_in(api, person).status_code == 200


def test_a_lock_that_stood_before_locks_had_reasons_is_one_of_guesses(person: User) -> None:
    by_hand = UserFactory()
    by_hand.lock_account()
    until = timezone.now() + dt.timedelta(minutes=20)
    User.objects.filter(pk=person.pk).update(failed_login_attempts=6, locked_until=until)

    import_module(
        "authentication.migrations.0015_name_the_locks_that_stand"
    ).name_the_locks_that_stand(apps, None)

    assert not AccountCounter(person).lock().is_manual
    assert AccountCounter(by_hand).lock().is_manual


def fail(*_: object, **__: object) -> None:
    raise OperationalError


def log_in(api: APIClient, person: User) -> Any:
    return api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
