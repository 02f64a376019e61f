"""Several schedulers report a lock at once: it is one event and one mail."""

import datetime as dt

import pytest
from django.utils import timezone

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.sign_in import LockReportService

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("_", range(5))
def test_a_lock_is_reported_once(person: User, _: int) -> None:
    until = timezone.now() + dt.timedelta(minutes=29)
    User.objects.filter(pk=person.pk).update(locked_until=until, lock_reason="guessed")

    all_at_once(*[LockReportService.report_due] * 6)

    assert AuditLog.objects.filter(event_type="account_locked", user=person).count() == 1
    assert OutgoingEmail.objects.filter(kind="account_locked").count() == 1
