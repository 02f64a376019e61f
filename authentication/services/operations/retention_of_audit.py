"""Retention of the audit log: whole seals go, so that the events that stay can be checked.

Events of an erased account are made anonymous at its erasure (services/accounts/erasure.py).
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from authentication.models import AuditLog, AuditSeal
from authentication.services.audit import delete_sealed, delete_sealed_failures

# Failures by names without an account tell how much was tried, not against whom.
_FAILURES_WITHOUT_ACCOUNT = 50_000

Rows = QuerySet[Any]


def old_audit(now: dt.datetime) -> Rows:
    """Return the seals of events that are older than AUDIT_LOG_RETENTION."""
    expired_at = now - settings.AUDIT_LOG_RETENTION
    return AuditSeal.objects.filter(until_at__lte=expired_at).order_by("number")


def surplus_failures(_: dt.datetime) -> Rows:
    """Return the seals of failures without an account that are not among the newest."""
    failures: Rows = AuditLog.objects.failures_without_account()
    newest = failures.order_by("-timestamp").values_list("timestamp", flat=True)
    last_kept = newest[_FAILURES_WITHOUT_ACCOUNT - 1 : _FAILURES_WITHOUT_ACCOUNT].first()
    sealed: Rows = AuditSeal.objects.filter(failure_count__gt=0, failures_deleted=False)
    return sealed.filter(until_at__lt=last_kept).order_by("number") if last_kept else sealed.none()


def delete_seals(rows: Rows, _: float) -> int:
    """Delete seals with their events."""
    return sum(delete_sealed(it) for it in rows)


def delete_failures(rows: Rows, _: float) -> int:
    """Delete the failures without an account that seals cover."""
    return sum(delete_sealed_failures(it) for it in rows)
