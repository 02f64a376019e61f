"""A lock that no answer shows is reported by schedule: the event and the mail cost time."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.sign_in import LockReportService
from authentication.services.sign_in.counters import NameCounter
from authentication.tests.clients import sign_in
from authentication.tests.conftest import queries
from authentication.tests.factories import PASSWORD

from .lockout import FAILED, KINDS, UNKNOWN, account, attempt, fail, reset, stored_device

Deliver = Callable[[], list[EmailMessage]]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock")]


def lock_slowly(api: APIClient, person: User, time_machine: TimeMachineFixture) -> None:
    """Lock an account whose name has room: it forgets after an hour, the account does not."""
    for _ in range(4):
        fail(api, person.email, 1)
        time_machine.shift(dt.timedelta(hours=23))
    assert fail(api, person.email, 1) == [FAILED]


def locks() -> int:
    return AuditLog.objects.filter(event_type="account_locked").count()


def test_slow_failures_lock_the_account(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    lock_slowly(api, person, time_machine)

    answer = attempt(api, person.email, PASSWORD)

    person.refresh_from_db()
    assert (answer.status_code, answer.json()["code"]) == FAILED
    assert person.locked_until == timezone.now() + dt.timedelta(minutes=30)


def test_the_attempt_that_locks_costs_no_statement_more(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    for name in (person.email, UNKNOWN):
        fail(api, name, 4)
    time_machine.shift(dt.timedelta(hours=23))
    kinds = []
    for name in (person.email, UNKNOWN):
        with CaptureQueriesContext(connection) as captured:
            fail(api, name, 1)
        kinds.append([sql.partition(" ")[0] for sql in queries(captured)])

    person.refresh_from_db()
    assert person.is_account_locked()
    assert kinds[0] == kinds[1]
    assert (locks(), OutgoingEmail.objects.count()) == (0, 0)


def test_the_owner_is_mailed_once(
    time_machine: TimeMachineFixture, api: APIClient, person: User, delivered: Deliver
) -> None:
    lock_slowly(api, person, time_machine)
    time_machine.shift(60)

    for _ in range(2):
        LockReportService.report_due()

    assert [message.to for message in delivered()] == [[person.email]]
    event = AuditLog.objects.get(event_type="account_locked")
    assert (event.user_id, event.risk_level) == (person.pk, "high")


def test_each_lock_is_reported(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    for _ in range(2):
        lock_slowly(api, person, time_machine)
        time_machine.shift(60)
        LockReportService.report_due()
        time_machine.shift(dt.timedelta(hours=2))

    assert locks() == 2


def test_a_lock_that_was_reported_at_once_is_not_reported_again(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    fail(api, person.email, 6)
    time_machine.shift(60)

    LockReportService.report_due()

    assert locks() == 1


def test_a_lock_waits_for_the_verdict_on_the_password_that_set_it(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    lock_slowly(api, person, time_machine)
    time_machine.shift(20)

    LockReportService.report_due()

    assert locks() == 0


def test_a_lock_that_a_reset_lifted_is_not_reported(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    lock_slowly(api, person, time_machine)
    time_machine.shift(60)
    reset(api, person)

    LockReportService.report_due()

    assert locks() == 0


def test_a_lock_by_hand_is_not_reported(time_machine: TimeMachineFixture, person: User) -> None:
    person.lock_account()
    time_machine.shift(60)

    LockReportService.report_due()

    assert locks() == 0


def test_a_lock_of_a_device_is_not_taken_for_its_report(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    device = stored_device(person)
    lock_slowly(api, person, time_machine)
    fail(api, person.email, 5, device=device)
    time_machine.shift(60)

    LockReportService.report_due()

    assert AuditLog.objects.filter(event_type="account_locked", user=person).count() == 2


# Minutes before each attempt.
PLANS = {
    "at once": [0] * 12,
    "slowly": [13] * 12,
    "hourly": [61] * 12,
    "the name locks while the account has room": [0, 0, 61, 0, 0, 31, 0, 0, 0],
    "after the lock": [0, 0, 0, 0, 0, 0, 31, 0, 31, 61, 0, 0],
    "mixed": [0, 0, 61, 0, 61, 61, 0, 7, 29, 1] * 2,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plan", PLANS)
def test_attempts_over_time_cost_the_same_statements_for_any_name(
    time_machine: TimeMachineFixture, api: APIClient, kind: str, plan: str
) -> None:
    known = account(kind).email
    for minutes in PLANS[plan]:
        time_machine.shift(dt.timedelta(minutes=minutes))
        costs = []
        for number, name in enumerate((known, UNKNOWN)):
            with CaptureQueriesContext(connection) as captured:
                answer = attempt(api, name, address=f"198.51.100.{number}")
            costs.append((answer.status_code, [sql.split()[:3] for sql in queries(captured)]))
        assert costs[0] == costs[1]


def test_a_sign_in_of_the_owner_meanwhile_is_not_seen(api: APIClient, person: User) -> None:
    costs = []
    for number, name in enumerate((person.email, UNKNOWN)):
        address = f"198.51.100.{number}"
        for _ in range(4):
            attempt(api, name, address=address)
        if name == person.email:
            sign_in(api, person)
            api.cookies.clear()
        with CaptureQueriesContext(connection) as captured:
            answer = attempt(api, name, address=address)
        costs.append((answer.status_code, [sql.split()[:3] for sql in queries(captured)]))

    assert costs[0] == costs[1]


def test_failures_given_back_after_the_count_has_expired_grant_no_more(
    time_machine: TimeMachineFixture,
) -> None:
    def counter() -> NameCounter:
        return NameCounter(UNKNOWN, unlocked_at=None, at=timezone.now())

    late = [counter() for _ in range(4)]
    assert all(it.reserve() for it in late)
    time_machine.shift(3601)

    for it in late:
        it.release()

    assert sum(counter().reserve() for _ in range(20)) == 5
