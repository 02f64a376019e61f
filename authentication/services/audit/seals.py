"""Seals of the audit log (docs/operations.md): they show whether events were changed since."""

import datetime as dt
import hashlib
import time
import uuid
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from authentication.models import AuditAmendment, AuditLog, AuditSeal
from authentication.models.audit_seal import packed

from .upkeep import event_digest

logger = structlog.get_logger(__name__)

BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC), uuid.UUID(int=0)
"""The position before the first event."""

EVENTS_PER_SEAL = 1_000
# A transaction that began to write an event has ended by then.
DELAY = dt.timedelta(minutes=10)
# A quiet service makes one seal an hour.
_LONGEST_WAIT = dt.timedelta(hours=1)
_RENEWED_AT_ONCE = 500


class AuditSealService:
    """Sealing the audit log."""

    @staticmethod
    def seal(*, seconds: float) -> int:
        """Seal the events that are ten minutes old, for at most so many seconds; return how many.

        The number and the digest of each seal are logged. Two callers at once make no seal twice.
        """
        deadline, total = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and (sealed := _seal_batch()):
            total += sealed
        for model in (AuditSeal, AuditAmendment):
            _renew(model)
        return total


def _seal_batch() -> int:
    now = timezone.now()
    try:
        with transaction.atomic():
            seal = _next_seal(now)
            if seal is None:
                return 0
            seal.save(force_insert=True)
    except IntegrityError:
        return 0  # Another caller made the first seal.
    logger.info("audit_log_sealed", seal=seal.number, digest=seal.digest, events=seal.events)
    return seal.events


def _next_seal(now: dt.datetime) -> AuditSeal | None:
    last = AuditSeal.objects.select_for_update().order_by("-number").first()
    after = (last.until_at, last.until_id) if last else BEGINNING
    old: Any = AuditLog.objects.filter(timestamp__lte=now - DELAY)
    events = list(old.after(*after)[:EVENTS_PER_SEAL])
    is_waiting = last and last.sealed_at > now - _LONGEST_WAIT
    if not events or (is_waiting and len(events) < EVENTS_PER_SEAL):
        return None
    digests = [(it, (it.pk, event_digest(it))) for it in events]
    failures = packed(entry for it, entry in digests if it.is_without_account())
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        after_at=after[0],
        after_id=after[1],
        until_at=events[-1].timestamp,
        until_id=events[-1].pk,
        events=len(events),
        entries=packed(entry for it, entry in digests if not it.is_without_account()),
        failures=failures,
        failure_count=sum(it.is_without_account() for it in events),
        failures_digest=hashlib.sha256(failures).hexdigest(),
        previous=last.digest if last else "",
        sealed_at=now,
    )
    seal.digest = seal.computed_digest()
    return seal.sign()


def _renew(model: Any) -> None:
    """Sign again what an older SECRET_KEY signed, so that this key can go from the settings."""
    for row in model.objects.with_older_key().order_by("pk")[:_RENEWED_AT_ONCE]:
        if row.is_authentic():
            before = row.mac
            row.sign()
            model.objects.filter(pk=row.pk, mac=before).update(mac=row.mac, key_id=row.key_id)
