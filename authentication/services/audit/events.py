"""Writing events to the audit log."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.transaction import on_commit

from authentication.models import AuditLog
from authentication.utils.client import ClientInfo
from authentication.utils.metrics import count_event

Event = AuditLog.Event
Risk = AuditLog.Risk


def count(event: str) -> None:
    """Count one event in the metrics when the current transaction is committed."""
    on_commit(lambda: count_event(event))


def event_of(
    event: str, *, user_id: uuid.UUID | None, client: ClientInfo, **metadata: Any
) -> AuditLog:
    """Return an event that is not stored yet; see `record`."""
    return AuditLog(event_type=event, user_id=user_id, metadata=metadata, **_fields_of(client))


def record(
    event: str,
    *,
    user_id: uuid.UUID | None,
    client: ClientInfo,
    risk: str = Risk.LOW,
    success: bool = True,
    description: str = "",
    **metadata: Any,
) -> None:
    """Store one event in the current transaction.

    `metadata` must not contain secrets or personal data.
    """
    count(event)
    AuditLog.log_event(
        event,
        user_id=user_id,
        **_fields_of(client),
        risk_level=risk,
        success=success,
        description=description,
        metadata=metadata,
    )


def record_action(
    action: str,
    *,
    user_id: uuid.UUID | None,
    client: ClientInfo,
    risk: str = Risk.MEDIUM,
    **facts: Any,
) -> None:
    """Store what staff or an operator did; `facts` say who, as `actor` and perhaps `operator`."""
    record(
        Event.ADMIN_ACTION,
        user_id=user_id,
        client=client,
        risk=risk,
        description=action,
        action=action,
        **facts,
    )


def record_each(
    event: str,
    metadata: Iterable[dict[str, Any]],
    *,
    user_id: uuid.UUID | None,
    client: ClientInfo,
) -> None:
    """Store several events of one kind in one statement, one for each `metadata`; see `record`."""
    rows = [event_of(event, user_id=user_id, client=client, **it) for it in metadata]
    for _ in rows:
        count(event)
    AuditLog.objects.bulk_create(rows)


def _fields_of(client: ClientInfo) -> dict[str, Any]:
    return {
        "ip_address": client.ip_address,
        "user_agent": client.user_agent,
        "correlation_id": client.correlation_id,
    }
