"""What a lock or a bar refuses is counted for each network, and not recorded each time."""

import datetime as dt

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.tests.limits import set_limits
from authentication.utils.metrics import LOGIN_ATTEMPTS

from .lockout import UNKNOWN, attempt, fail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock")]
RECORDED = [1, 2, 3, 4, 5, 10, 20, 50, 100]
EITHER = pytest.mark.parametrize("name", ["known", "unknown"])


@pytest.fixture(autouse=True)
def _many_attempts(settings: Settings) -> None:
    set_limits(settings, login="10000/h")


def recorded() -> list[int]:
    refusals = AuditLog.objects.filter(event_type="login_failed", metadata__reason="locked")
    numbers = refusals.values_list("metadata__refusals_of_network", flat=True)
    return sorted(number for number in numbers if number)


def failures_counted() -> float:
    return float(LOGIN_ATTEMPTS.labels("failed")._value.get())


@EITHER
def test_the_first_and_the_round_ones_are_recorded(api: APIClient, person: User, name: str) -> None:
    tried = person.email if name == "known" else UNKNOWN
    fail(api, tried, 5)

    fail(api, tried, 120)

    assert recorded() == RECORDED
    assert AuditLog.objects.filter(event_type="login_failed").count() == 5 + len(RECORDED)


def test_each_is_counted_in_the_metrics(
    api: APIClient, django_capture_on_commit_callbacks: object
) -> None:
    fail(api, UNKNOWN, 5)
    before = failures_counted()

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # a fixture
        fail(api, UNKNOWN, 9)

    assert failures_counted() - before == 9


def test_networks_are_counted_apart(api: APIClient) -> None:
    fail(api, UNKNOWN, 5)

    for address in ("198.51.100.1", "198.51.100.2"):
        for _ in range(7):
            attempt(api, UNKNOWN, address=address)

    assert recorded() == sorted([1, 2, 3, 4, 5] * 2)


def test_a_new_day_begins_a_new_count(time_machine: TimeMachineFixture, api: APIClient) -> None:
    for _ in range(2):
        fail(api, UNKNOWN, 5 + 6)
        time_machine.shift(dt.timedelta(days=1, seconds=1))

    assert recorded() == sorted([1, 2, 3, 4, 5] * 2)


def test_failures_before_the_lock_are_all_recorded(api: APIClient, person: User) -> None:
    for number in range(60):
        attempt(api, f"stranger{number}@example.org")
    fail(api, person.email, 5)

    assert AuditLog.objects.filter(event_type="login_failed").count() == 65
