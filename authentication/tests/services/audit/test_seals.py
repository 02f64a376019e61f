"""Seals of the audit log, and what a check of them finds."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditAmendment, AuditLog, AuditSeal, OutgoingEmail, User
from authentication.services.audit import AuditSealService, AuditVerificationService, seals
from authentication.services.audit.upkeep import event_digest
from authentication.services.operations import (
    RetentionService,
    mail_newest_seal,
    retention_of_audit,
)
from authentication.tests.clients import NOON, sign_in
from authentication.tests.erasing import GRACE, erase_due
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import findings, log_events, seal_now, tamper

pytestmark = [pytest.mark.django_db, pytest.mark.security]

HOUR = dt.timedelta(hours=1)
EVENTS = ("login", "token_refresh", "password_change", "logout", "login_failed")


@pytest.fixture
def events(person: User) -> list[AuditLog]:
    """Five events in two seals, and one that is not sealed."""
    stored = log_events(
        *EVENTS[:3],
        user=person,
        timestamp=timezone.now() - 3 * HOUR,
        ip_address="2001:db8::7",
        metadata={"session": "it's ሴ", "n": [1, 2.5, None, True]},
    )
    seal_now()
    stored += log_events(*EVENTS[3:], timestamp=timezone.now() - 2 * HOUR)
    seal_now()
    log_events("login")
    return stored


def test_an_untouched_log_has_no_finding(events: list[AuditLog]) -> None:
    done = AuditVerificationService.verify()

    assert (done.findings, done.seals, done.events, done.unsealed) == ([], 2, 5, 1)
    assert done.head == str(AuditSeal.objects.get(number=2))


CHANGES: dict[str, Any] = {
    "user": None,
    "event_type": "logout",
    "description": "x",
    "ip_address": "192.0.2.1",
    "user_agent": "x",
    "success": False,
    "risk_level": "high",
    "metadata": {},
    "correlation_id": "x",
    "timestamp": F("timestamp") + dt.timedelta(microseconds=1),
}


@pytest.mark.parametrize("field", CHANGES)
def test_an_altered_event_is_named(events: list[AuditLog], field: str) -> None:
    tamper(AuditLog.objects.filter(pk=events[1].pk), **{field: CHANGES[field]})

    assert findings() == [f"altered event {events[1].pk}"]


@pytest.mark.parametrize("number", range(5))
def test_a_missing_event_is_named(events: list[AuditLog], number: int) -> None:
    tamper(AuditLog.objects.filter(pk=events[number].pk))

    assert findings() == [f"missing event {events[number].pk}"]


@pytest.mark.parametrize("hours", [400, 3, 2.5, 2])
def test_an_added_event_is_named(events: list[AuditLog], hours: float) -> None:
    added = AuditLog.log_event("login", timestamp=timezone.now() - hours * HOUR)

    assert findings() == [f"added event {added.pk}"]


SEAL_CHANGES: list[Callable[[Any], Any]] = [
    lambda seal: seal.update(entries=b""),
    lambda seal: seal.update(failures=b""),
    lambda seal: seal.update(failures=b"", failures_deleted=True),
    lambda seal: seal.update(until_at=NOON),
    # It says when the next seal is due.
    lambda seal: seal.update(sealed_at=NOON),
    lambda seal: seal.update(digest="0" * 64),
    lambda seal: seal.update(mac="0" * 64),
]


@pytest.mark.parametrize("change", SEAL_CHANGES)
def test_an_altered_seal_is_named(events: list[AuditLog], change: Callable[[Any], Any]) -> None:
    change(AuditSeal.objects.filter(number=2))

    assert "altered seal 2" in findings()


def test_a_seal_that_was_made_without_the_key_is_named(events: list[AuditLog]) -> None:
    tamper(AuditLog.objects.filter(pk=events[4].pk), description="x")
    seal = AuditSeal.objects.get(number=2)
    seal.delete()
    seal_now()
    AuditSeal.objects.filter(number=2).update(mac=seal.mac)

    assert findings() == ["altered seal 2"]


def test_missing_seals_are_named(events: list[AuditLog]) -> None:
    AuditSeal.objects.filter(number=1).delete()

    assert findings()[0] == "missing seal 1"


def test_a_removed_end_is_found_by_a_seal_that_was_kept(events: list[AuditLog]) -> None:
    mailed = str(AuditSeal.objects.get(number=2))
    assert AuditVerificationService.verify(known=mailed).findings == []
    AuditSeal.objects.filter(number=2).delete()
    tamper(AuditLog.objects.filter(pk__in=[event.pk for event in events[3:]]))

    assert findings() == []
    [finding] = AuditVerificationService.verify(known=mailed).findings
    assert (finding.what, finding.name) == ("missing", f"seal {mailed}")


def test_a_seal_that_retention_deleted_is_not_missing(
    events: list[AuditLog], settings: Settings
) -> None:
    old = str(AuditSeal.objects.get(number=1))
    settings.AUDIT_LOG_RETENTION = 2.5 * HOUR
    RetentionService.clean("audit")

    done = AuditVerificationService.verify(known=old)

    assert (done.findings, done.is_known_gone) == ([], True)


def test_an_erasure_is_no_finding_and_its_events_cannot_be_altered_after(
    api: APIClient, time_machine: Any
) -> None:
    time_machine.move_to(NOON, tick=False)
    person, staff = UserFactory(), UserFactory()
    sign_in(api, person)
    log_events("admin_action", user=UserFactory(), metadata={"actor": str(person.pk)})
    log_events("login", user=staff)
    seal_now()
    User.objects.filter(pk=person.pk).update(deletion_requested_at=NOON)
    time_machine.move_to(NOON + GRACE + HOUR, tick=False)
    assert erase_due() == 1

    seal_now()
    done = AuditVerificationService.verify()
    assert (done.findings, done.amended) == ([], AuditAmendment.objects.count())
    assert done.amended >= 2
    for amendment in AuditAmendment.objects.all():
        blanked = AuditLog.objects.filter(pk=amendment.pk)
        tamper(blanked, metadata={"subject": "other"})
        assert f"altered event {amendment.pk}" in findings()


def test_a_blanking_without_the_key_is_named(events: list[AuditLog]) -> None:
    blank = {"user": None, "ip_address": None, "metadata": {"subject": "x"}}
    tamper(AuditLog.objects.filter(pk=events[0].pk), **blank)
    forged = AuditAmendment(pk=events[0].pk, key_id="x", mac="0" * 64)
    forged.digest = event_digest(AuditLog.objects.get(pk=events[0].pk)).hex()
    forged.save()

    assert findings() == [f"altered event {events[0].pk}"]


def test_retention_deletes_whole_seals(events: list[AuditLog], settings: Settings) -> None:
    settings.AUDIT_LOG_RETENTION = 2.5 * HOUR

    assert RetentionService.count("audit") == 3
    assert RetentionService.clean("audit").count == 3

    done = AuditVerificationService.verify()
    assert (done.findings, done.seals, done.events) == ([], 1, 2)
    settings.AUDIT_LOG_RETENTION = 5 * HOUR
    assert findings() == ["missing seal 1"]


def test_surplus_failures_are_deleted_from_their_seals(
    events: list[AuditLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_of_audit, "_FAILURES_WITHOUT_ACCOUNT", 1)
    log_events("login_failed", timestamp=timezone.now() - HOUR)

    assert RetentionService.clean("failures").count == 1

    assert not AuditLog.objects.filter(pk=events[4].pk).exists()
    assert findings() == []
    assert RetentionService.count("failures") == 0


def test_the_newest_events_wait(person: User) -> None:
    log_events("login", timestamp=timezone.now() - dt.timedelta(minutes=9))
    assert AuditSealService.seal(seconds=9) == 0

    log_events("login", timestamp=timezone.now() - dt.timedelta(minutes=11))
    assert AuditSealService.seal(seconds=9) == 1
    log_events("login", timestamp=timezone.now() - dt.timedelta(minutes=10, seconds=30))
    assert AuditSealService.seal(seconds=9) == 0


def test_a_full_seal_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seals, "EVENTS_PER_SEAL", 2)
    same = timezone.now() - HOUR
    for _ in range(5):
        AuditLog.log_event("login", timestamp=same)

    assert AuditSealService.seal(seconds=9) == 4
    assert [seal.events for seal in AuditSeal.objects.order_by("number")] == [2, 2]
    assert findings() == []


def test_a_key_may_be_replaced(events: list[AuditLog], settings: Settings) -> None:
    AuditAmendment(pk=uuid.uuid4(), digest="0" * 32).sign().save()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 6
    assert findings() == []

    AuditSealService.seal(seconds=9)

    settings.SECRET_KEY_FALLBACKS = []
    assert findings() == []
    assert AuditAmendment.objects.get().is_authentic()


def test_each_owner_gets_the_newest_seal_once_a_week(
    events: list[AuditLog], person: User, time_machine: Any
) -> None:
    owner = UserFactory(is_staff=True, is_superuser=True)
    UserFactory(is_staff=True, is_superuser=True, is_active=False)

    assert [mail_newest_seal(), mail_newest_seal()] == [1, 0]

    mail = OutgoingEmail.objects.get(kind="audit_seal")
    assert (mail.user, mail.context["seal"]) == (owner, str(AuditSeal.objects.get(number=2)))
    time_machine.move_to(timezone.now() + dt.timedelta(days=8))
    assert mail_newest_seal() == 0
    seal_now()
    assert mail_newest_seal() == 1
