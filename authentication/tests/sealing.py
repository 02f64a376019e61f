"""Sealing the audit log at once, and changing it as SQL would."""

import datetime as dt
from typing import Any
from unittest import mock

from authentication.models import AuditLog
from authentication.services.audit import AuditSealService, AuditVerificationService, seals
from authentication.services.audit.upkeep import audit_upkeep


def seal_now() -> int:
    """Seal all events, the newest too, without waiting for more."""
    nothing = dt.timedelta()
    with (
        mock.patch.object(seals, "DELAY", -dt.timedelta(minutes=1)),
        mock.patch.object(seals, "_LONGEST_WAIT", nothing),
    ):
        return AuditSealService.seal(seconds=60)


def tamper(rows: Any, **fields: Any) -> None:
    """Change events behind the service's back, or delete them or their accounts."""
    with audit_upkeep():
        if fields:
            rows.update(**fields)
        else:
            rows.delete()


def findings() -> list[str]:
    """Return what a check of the log finds: what is wrong, and which event or seal."""
    found = AuditVerificationService.verify().findings
    return [f"{it.what} {' '.join(it.name.split()[:2])}" for it in found]


def log_events(*types: str, **fields: Any) -> list[AuditLog]:
    """Store events, a second after each other, and return them."""
    at = fields.pop("timestamp", None)
    events = []
    for number, event in enumerate(types):
        times = {"timestamp": at + dt.timedelta(seconds=number)} if at else {}
        events.append(AuditLog.log_event(event, **times, **fields))
    return events
