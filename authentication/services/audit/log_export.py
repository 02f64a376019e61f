"""Export of the audit log, read from the replica if there is one."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.models import AuditLog
from authentication.utils.client import ClientInfo

from .events import record

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
MOST_ON_A_PAGE = 100_000
_BEGINNING = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True, slots=True)
class AuditFilter:
    """A filter for events. Fields without a value match all events."""

    user_id: uuid.UUID | None = None
    events: tuple[str, ...] = ()
    risk: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    ip_address: str | None = None
    correlation_id: str | None = None


class AuditExportService:
    """Export of the audit log."""

    @staticmethod
    def event_types() -> list[str]:
        """Return the names of the events."""
        return list(AuditLog.Event.values)

    @staticmethod
    def count(filters: AuditFilter) -> int:
        """Return the number of matching events."""
        return int(_events(filters).count())

    @staticmethod
    def newest(filters: AuditFilter, *, limit: int) -> list[AuditLog]:
        """Return the newest matching events, with their users."""
        return list(_events(filters).select_related("user").order_by("-timestamp", "-pk")[:limit])

    @staticmethod
    def has_too_many(filters: AuditFilter) -> bool:
        """Return whether more events match than a page should send."""
        return int(_events(filters)[: MOST_ON_A_PAGE + 1].count()) > MOST_ON_A_PAGE

    @staticmethod
    def events(
        filters: AuditFilter, *, facts: dict[str, Any], client: ClientInfo
    ) -> Iterator[dict[str, Any]]:
        """Return the matching events up to now, oldest first; record the export.

        `facts` say who exports: an `actor`, and perhaps the name of an operator.

        Raises ValueError for an unknown event type.
        """
        if unknown := set(filters.events) - set(AuditLog.Event.values):
            raise ValueError(f"No such event: {', '.join(sorted(unknown))}.")
        now = timezone.now()
        record(
            AuditLog.Event.AUDIT_LOG_EXPORTED,
            user_id=filters.user_id,
            client=client,
            risk=AuditLog.Risk.HIGH,
            events=list(filters.events),
            since=filters.since and filters.since.isoformat(),
            until=filters.until and filters.until.isoformat(),
            **_narrowing(filters),
            **facts,
        )
        return _read(dataclasses.replace(filters, until=min(filters.until or now, now)))


def _narrowing(filters: AuditFilter) -> dict[str, Any]:
    given = {
        "only_risk": filters.risk,
        "address": filters.ip_address,
        "request": filters.correlation_id,
    }
    return {name: it for name, it in given.items() if it}


def _read(filters: AuditFilter) -> Iterator[dict[str, Any]]:
    """Yield events, 2,000 at a time by their time and id.

    No transaction stays open, no statement takes long, and it works behind PgBouncer.
    """
    found, moment, pk = _events(filters), _BEGINNING, uuid.UUID(int=0)
    while rows := list(found.after(moment, pk).values("pk", *EVENT_FIELDS)[:_CHUNK]):
        moment, pk = rows[-1]["timestamp"], rows[-1]["pk"]
        yield from rows


def _events(filters: AuditFilter) -> Any:
    limits: dict[str, Any] = {
        "user_id": filters.user_id,
        "event_type__in": filters.events,
        "risk_level": filters.risk,
        "timestamp__gte": filters.since,
        "timestamp__lt": filters.until,
        "ip_address": filters.ip_address,
        "correlation_id": filters.correlation_id,
    }
    found = AuditLog.objects.using(settings.REPORTS_DATABASE).filter(
        **{name: it for name, it in limits.items() if it}
    )
    # The index of these ids leaves refreshes out, which do not write one.
    return found.shown() if filters.correlation_id else found
