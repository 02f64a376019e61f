"""PostgreSQL keeps the audit log; sealing runs beside itself, erasures and new events."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import AuditLog, AuditSeal, User
from authentication.services.accounts import erase_each
from authentication.services.audit import AuditSealService, audit_upkeep
from authentication.tests.clients import sign_in
from authentication.tests.sealing import findings, log_events, seal_now

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

HOUR = dt.timedelta(hours=1)


@pytest.mark.security
@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditLog.objects.update(success=False),
        lambda: AuditLog.objects.all().delete(),
        lambda: User.objects.all().delete(),
        lambda: [event.save() for event in AuditLog.objects.all()],
    ],
)
def test_events_cannot_be_changed(api: APIClient, person: User, change: Callable[[], Any]) -> None:
    sign_in(api, person)
    before = list(AuditLog.objects.values())

    with pytest.raises(ProgrammingError, match="append-only"):
        change()

    assert list(AuditLog.objects.values()) == before


def test_upkeep_ends_with_its_transaction(api: APIClient, person: User) -> None:
    sign_in(api, person)
    with audit_upkeep():
        AuditLog.objects.update(success=False)

    with pytest.raises(ProgrammingError, match="append-only"):
        AuditLog.objects.update(success=True)


@pytest.mark.parametrize("_", range(5))
def test_several_sealers_make_one_chain(person: User, _: int) -> None:
    long_ago = timezone.now() - 2 * HOUR
    log_events(*["login"] * 30, user=person, timestamp=long_ago)

    sealed = all_at_once(*[lambda: AuditSealService.seal(seconds=20)] * 4)

    assert sorted(sealed) == [0, 0, 0, 30]
    assert findings() == []


@pytest.mark.parametrize("_", range(5))
def test_an_erasure_beside_sealing_is_no_finding(api: APIClient, person: User, _: int) -> None:
    sign_in(api, person)
    long_ago = timezone.now() - 300 * HOUR
    log_events(*["login"] * 300, user=person, timestamp=long_ago)
    User.objects.filter(pk=person.pk).update(deletion_requested_at=timezone.now() - 400 * HOUR)

    all_at_once(lambda: erase_each([person.pk]), lambda: AuditSealService.seal(seconds=20))
    seal_now()

    assert not User.objects.exists()
    assert findings() == []


def test_the_check_reads_by_index(person: User) -> None:
    log_events(*["login"] * 3, user=person, timestamp=timezone.now() - 2 * HOUR)
    seal_now()
    seal = AuditSeal.objects.get()
    found = AuditLog.objects.filter(timestamp__lte=seal.until_at).after(
        seal.after_at, uuid.UUID(int=0)
    )

    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = found[:1000].explain()
        cursor.execute("RESET enable_seqscan")
    assert "audit_newest" in plan
