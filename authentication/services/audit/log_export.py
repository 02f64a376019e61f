"""Long lists for operations, read from the replica where there is one."""

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
    """Which events are wanted; what is left out does not matter."""

    user_id: uuid.UUID | None = None
    events: tuple[str, ...] = ()
    risk: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


class AuditExportService:
    """Long lists for operations."""

    @staticmethod
    def count(wanted: AuditFilter) -> int:
        """Return how many events there are."""
        return _events(wanted).count()

    @staticmethod
    def events(wanted: AuditFilter) -> Iterator[dict[str, Any]]:
        """Return the events, the oldest first, a few thousand in memory at a time.

        Raises ValueError for an event nobody knows.
        """
        if unknown := set(wanted.events) - set(AuditLog.Event.values):
            raise ValueError(f"No such event: {', '.join(sorted(unknown))}.")
        rows: QuerySet[Any, dict[str, Any]] = (
            _events(wanted).order_by("timestamp", "pk").values(*EVENT_FIELDS)
        )
        return rows.iterator(chunk_size=_CHUNK)


def _events(wanted: AuditFilter) -> QuerySet[AuditLog]:
    limits: dict[str, Any] = {
        "user_id": wanted.user_id,
        "event_type__in": wanted.events,
        "risk_level": wanted.risk,
        "timestamp__gte": wanted.since,
        "timestamp__lt": wanted.until,
    }
    return AuditLog.objects.using(settings.REPORTS_DATABASE).filter(
        **{name: it for name, it in limits.items() if it}
    )
