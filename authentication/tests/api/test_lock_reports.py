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
from authentication.tests.conftest import queries
from authentication.tests.factories import PASSWORD

from .lockout import FAILED, UNKNOWN, attempt, fail, reset

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
