"""Login attempts: the decision, and what is left of a count after a fault."""

import datetime as dt
import functools
import itertools

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.sign_in.counters import AccountCounter, NameCounter
from authentication.services.sign_in.login_attempts import Decision, decide, reserve_attempt
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, forget_cached
from authentication.tests.factories import PASSWORD
from vineyard_group_fellowship.settings.base import caches as caches_at

NAME = "stranger@example.org"


@pytest.fixture(autouse=True)
def _limits_in_this_process(settings: Settings) -> None:
    settings.CACHES = caches_at("")
    forget_cached()


def name_counter() -> NameCounter:
    return NameCounter(NAME, unlocked_at=None, at=timezone.now())


def account_counter(person: User, *, at: dt.datetime) -> AccountCounter:
    return AccountCounter(person.pk, name=name_counter(), at=at)


def test_the_decision_is_a_table() -> None:
    flags = ("is_known_device", "device_has_room", "name_has_room", "account_has_room")
    decisions = {
        rooms: decide(**dict(zip(flags, rooms, strict=True)))
        for rooms in itertools.product([True, False], repeat=4)
    }

    known = {rooms: it for rooms, it in decisions.items() if rooms[0]}
    unknown = {rooms[2:]: it for rooms, it in decisions.items() if not rooms[0]}
    assert {rooms[1]: it for rooms, it in known.items()} == {
        True: Decision.COMPARE,
        False: Decision.LOCKED,
    }
    assert unknown == {
        (True, True): Decision.COMPARE,
        (True, False): Decision.HASH_ONLY,
        (False, True): Decision.LOCKED,
        (False, False): Decision.LOCKED,
    }


@pytest.mark.django_db
class TestANamesCount:
    def test_five_attempts_have_room_and_the_fifth_locks(self) -> None:
        counters = [name_counter() for _ in range(7)]

        rooms = [it.reserve() for it in counters]

        assert rooms == [True] * 5 + [False] * 2
        assert [it.has_set_lock() for it in counters] == [False] * 4 + [True] + [False] * 2

    def test_refused_attempts_leave_no_trace_when_the_last_one_is_released(self) -> None:
        counters = [name_counter() for _ in range(8)]
        rooms = [it.reserve() for it in counters]

        counters[4].release()

        assert rooms == [True] * 5 + [False] * 3
        assert [name_counter().reserve() for _ in range(2)] == [True, False]

    def test_an_attempt_released_during_a_lock_makes_no_room(self) -> None:
        counters = [name_counter() for _ in range(5)]
        assert all(it.reserve() for it in counters)

        counters[0].release()

        assert not name_counter().reserve()

    @pytest.mark.parametrize("left", [4, 5, 6, 50])
    def test_a_count_whose_process_died_before_the_lock_still_locks(self, left: int) -> None:
        first = name_counter()
        first.reserve()
        caches["limits"].incr(first._count, left - 1)

        rooms = [name_counter().reserve() for _ in range(3)]

        assert rooms == [True, False, False]
        assert name_counter().locked_until() is not None

    def test_a_release_after_the_count_expired_takes_nothing_from_the_next(self) -> None:
        late = name_counter()
        late.reserve()
        forget_cached()

        late.release()

        assert [name_counter().reserve() for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.django_db
class TestAnAccountsCount:
    def test_an_attempt_released_late_leaves_a_later_lock_alone(self, person: User) -> None:
        now = timezone.now()
        late = account_counter(person, at=now - dt.timedelta(hours=1))
        for hour in (1, 0):
            at = now - dt.timedelta(hours=hour)
            assert [account_counter(person, at=at).reserve() for _ in range(5)] == [True] * 5

        late.release()

        assert not account_counter(person, at=now).reserve()

    def test_a_right_password_does_not_lift_a_lock_by_hand(self, person: User) -> None:
        attempt = reserve_attempt(person, person.email_canonical, devices=[])
        User.objects.get().lock_account()

        attempt.succeed()

        assert User.objects.get().is_locked_by_hand()

    def test_a_fault_of_the_store_costs_no_attempt(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> bool:
            raise OperationalError

        credentials = {"email": person.email, "password": PASSWORD}
        with monkeypatch.context() as broken:
            broken.setattr(User, "check_password", fail)
            statuses = [api.post(f"{API}/login/", credentials).status_code for _ in range(6)]

        person.refresh_from_db()
        assert statuses == [503] * 6
        assert person.failed_login_attempts == 0
        assert sign_in(api, person)["access"]

    def test_a_fault_while_the_account_is_released_still_releases_the_name(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: object) -> None:
            raise OperationalError

        reserve = functools.partial(reserve_attempt, person, person.email_canonical, devices=[])
        last = [reserve() for _ in range(5)][-1]
        monkeypatch.setattr(AccountCounter, "release", fail)

        last.release()

        # The name has room again, the account has none: hashed only, not refused.
        assert not reserve().is_compared

    def test_a_fault_between_name_and_account_costs_no_attempt(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_: object) -> bool:
            raise OperationalError

        with monkeypatch.context() as broken:
            broken.setattr(AccountCounter, "reserve", fail)
            for _ in range(6):
                with pytest.raises(OperationalError):
                    reserve_attempt(person, person.email_canonical, devices=[])

        assert reserve_attempt(person, person.email_canonical, devices=[]).is_compared
