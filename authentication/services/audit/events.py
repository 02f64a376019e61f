"""Writing events to the audit log."""

import uuid
from typing import Any

from django.db.transaction import on_commit

from authentication.models import AuditLog
from authentication.utils.client import ClientInfo
from authentication.utils.metrics import count_event

Event = AuditLog.Event
Risk = AuditLog.Risk


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
    # A rolled-back event must not be counted.
    on_commit(lambda: count_event(event))
    AuditLog.log_event(
        event,
        user_id=user_id,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        correlation_id=client.correlation_id,
        risk_level=risk,
        success=success,
        description=description,
        metadata=metadata,
    )
