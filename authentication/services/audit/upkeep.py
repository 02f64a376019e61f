"""Changes of the audit log that are allowed: by an erasure, and by retention."""

import contextlib
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Iterator, Sequence

from django.db import connection, transaction

from authentication.models import AuditAmendment, AuditLog, AuditSeal
from authentication.models.audit_seal import DIGEST_BYTES


@contextlib.contextmanager
def audit_upkeep() -> Iterator[None]:
    """Open a transaction in which PostgreSQL lets events be changed and deleted.

    A trigger refuses that elsewhere. It stops mistakes and not an attacker who can run any SQL:
    that one is found by verify_audit_log.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL authentication.audit_upkeep = 'on'")
        yield


def event_digest(event: AuditLog) -> bytes:
    """Return the digest of all columns of an event: 128 bits of SHA-256."""
    columns = [
        str(event.pk),
        event.user_id and str(event.user_id),
        event.event_type,
        event.description,
        event.ip_address,
        event.user_agent,
        event.success,
        event.risk_level,
        event.metadata,
        event.correlation_id,
        event.timestamp.astimezone(dt.UTC).isoformat(timespec="microseconds"),
    ]
    text = json.dumps(columns, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()[:DIGEST_BYTES]


def amend(events: Sequence[AuditLog]) -> None:
    """Note in the current transaction that events have these contents now."""
    AuditAmendment.objects.bulk_create(
        [AuditAmendment(pk=it.pk, digest=event_digest(it).hex()).sign() for it in events],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["digest", "mac", "key_id"],
    )


def delete_sealed(seal: AuditSeal) -> int:
    """Delete the events of the oldest seal, and the seal; return the number of rows."""
    with audit_upkeep():
        return _delete(seal.digests()) + seal.delete()[0]


def delete_sealed_failures(seal: AuditSeal) -> int:
    """Delete the failures of a seal by names without an account; return the number of rows.

    The seal says that they went.
    """
    with audit_upkeep():
        current = AuditSeal.objects.select_for_update().get(pk=seal.pk)
        deleted = _delete(current.failure_digests())
        current.failures, current.failures_deleted = b"", True
        current.sign().save()
    return deleted + 1


def _delete(ids: Collection[uuid.UUID]) -> int:
    deleted: int = AuditLog.objects.filter(pk__in=ids).delete()[0]
    AuditAmendment.objects.filter(pk__in=ids).delete()
    return deleted
