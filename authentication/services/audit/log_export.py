"""Export of the audit log, read from the replica if there is one."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from authentication.models import AuditLog

EVENT_FIELDS = (
    "timestamp",
    "event_type",
    "risk_level",
    "success",
    "user_id",
    "ip_address",
    "user_agent",
    "description",
    "correlation_id",
    "metadata",
)
_CHUNK = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class AuditFilter:
    """A filter for events. Fields without a value match all events."""

    user_id: uuid.UUID | None = None
    events: tuple[str, ...] = ()
    risk: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


class AuditExportService:
    """Export of the audit log."""

    @staticmethod
    def count(filters: AuditFilter) -> int:
        """Return the number of matching events."""
        return _events(filters).count()

    @staticmethod
    def events(filters: AuditFilter) -> Iterator[dict[str, Any]]:
        """Yield the matching events, oldest first; 2,000 at a time are in memory.

        Raises ValueError for an unknown event type.
        """
        if unknown := set(filters.events) - set(AuditLog.Event.values):
            raise ValueError(f"No such event: {', '.join(sorted(unknown))}.")
        rows: QuerySet[Any, dict[str, Any]] = (
            _events(filters).order_by("timestamp", "pk").values(*EVENT_FIELDS)
        )
        return rows.iterator(chunk_size=_CHUNK)


def _events(filters: AuditFilter) -> QuerySet[AuditLog]:
    limits: dict[str, Any] = {
        "user_id": filters.user_id,
        "event_type__in": filters.events,
        "risk_level": filters.risk,
        "timestamp__gte": filters.since,
        "timestamp__lt": filters.until,
    }
    return AuditLog.objects.using(settings.REPORTS_DATABASE).filter(
        **{name: it for name, it in limits.items() if it}
    )
