"""Hourly counts: each event once, whoever counts and whatever is deleted meanwhile."""

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from authentication.models import AuditLog, CountedUntil, HourlyCount, UserSession
from authentication.services.admin_pages import counting
from authentication.services.operations import RetentionService
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 29, 10, 30, tzinfo=dt.UTC)


def event(kind: str, *, minutes: float = 60, times: int = 1) -> None:
    """Store events of some minutes before NOW."""
    at = NOW - dt.timedelta(minutes=minutes)
    AuditLog.objects.bulk_create(AuditLog(event_type=kind, timestamp=at) for _ in range(times))


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the clock to NOW; return a function that moves it."""

    def move(to: dt.datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: to)

    move(NOW)
    return move


def count() -> dict[tuple[int, str], int]:
    """Count, and return the counts of events by hour and type."""
    counting.count_events(seconds=60)
    return stored()


def stored() -> dict[tuple[int, str], int]:
    rows = HourlyCount.objects.exclude(name__startswith="devices:")
    return {(hour.hour, name): n for hour, name, n in rows.values_list("hour", "name", "count")}


def test_events_are_counted_by_hour_and_type() -> None:
    event("login", minutes=30, times=2)
    event("login", minutes=31)
    event("login_failed", minutes=91, times=3)

    assert count() == {(10, "login"): 2, (9, "login"): 1, (8, "login_failed"): 3}


def test_counting_again_counts_nothing_twice(clock: Any) -> None:
    event("login", minutes=29)
    assert count() == count() == {(10, "login"): 1}

    event("login", minutes=1)
    clock(NOW + dt.timedelta(minutes=2))

    assert count() == {(10, "login"): 2}


def test_an_event_that_may_still_be_in_a_transaction_is_left_for_later(clock: Any) -> None:
    event("login", minutes=1)
    assert count() == {}

    clock(NOW + dt.timedelta(minutes=5))

    assert count() == {(10, "login"): 1}


def test_a_worker_that_was_stopped_for_days_leaves_no_gap(clock: Any) -> None:
    count()
    event("login", minutes=-60 * 24)
    event("login", minutes=-60 * 48)
    clock(NOW + dt.timedelta(days=3))

    count()

    assert sum(HourlyCount.objects.filter(name="login").values_list("count", flat=True)) == 2


def test_counts_outlive_the_events(clock: Any) -> None:
    event("login", times=5)
    before = count()

    tamper(AuditLog.objects.all())
    clock(NOW + dt.timedelta(hours=2))

    assert count() == before


def test_counts_are_deleted_after_four_hundred_days(clock: Any) -> None:
    event("login")
    count()
    clock(NOW + dt.timedelta(days=399))
    RetentionService.clean("audit")
    assert stored()

    clock(NOW + dt.timedelta(days=401))
    RetentionService.clean("audit")

    assert not stored()


def test_a_counter_that_comes_second_counts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    event("login", minutes=20)
    mark = NOW - dt.timedelta(minutes=30)
    CountedUntil.objects.begin(mark)

    assert count() == {(10, "login"): 1}
    # It read the mark before the first one moved it.
    assert counting._count(since=mark, to=NOW) is False

    assert stored() == {(10, "login"): 1}


def test_a_counter_that_dies_leaves_its_hour_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    event("login", minutes=20)
    CountedUntil.objects.begin(NOW - dt.timedelta(minutes=30))

    def die(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(counting, "hour_of", die)
        with pytest.raises(MemoryError), transaction.atomic():
            counting._count(since=NOW - dt.timedelta(minutes=30), to=NOW)

    assert count() == {(10, "login"): 1}


def test_a_call_ends_in_time_and_the_next_goes_on() -> None:
    event("login", minutes=60 * 20)

    counting.count_events(seconds=0)
    assert stored() == {}

    assert sum(count().values()) == 1


def test_devices_are_counted_once_an_hour() -> None:
    person = UserFactory()

    def signed_in(kind: str) -> None:
        later = NOW + dt.timedelta(days=1)
        UserSession.objects.create(user=person, device_type=kind, created_at=NOW, expires_at=later)

    for kind in ("mobile", "mobile", "desktop", ""):
        signed_in(kind)
    count()
    signed_in("mobile")
    count()

    rows = HourlyCount.objects.filter(name__startswith="devices:").values_list("name", "count")
    assert dict(rows) == {"devices:mobile": 2, "devices:desktop": 1, "devices:": 1}
