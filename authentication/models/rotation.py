"""A rotation's writes: one statement on PostgreSQL, a transaction elsewhere."""

import datetime as dt
import json
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from .audit_log import AuditLog
from .blacklist import TokenBlacklist
from .session import UserSession

# Of any number of requests with one token, one updates the row. The others wait for it, find
# another token in it, and insert nothing. One statement is one transaction and one round trip.
_SWAP = """
WITH swapped AS (
    UPDATE authentication_usersession
    SET previous_refresh_token_jti = refresh_token_jti,
        refresh_token_jti = %(new)s,
        successor_seen = false,
        last_rotation_at = %(at)s,
        last_activity_at = %(activity_at)s,
        expires_at = %(expires_at)s,
        last_client_digest = %(client_digest)s
    WHERE id = %(session)s AND refresh_token_jti = %(old)s AND is_active
    RETURNING user_id
), revoked AS (
    INSERT INTO authentication_tokenblacklist
        (jti, token, user_id, expires_at, blacklisted_at, reason)
    SELECT %(old)s, '', user_id, %(old_expires_at)s, %(now)s, %(reason)s FROM swapped
    ON CONFLICT DO NOTHING
)"""
_RECORD = """, recorded AS (
    INSERT INTO authentication_auditlog
        (id, user_id, event_type, description, ip_address, user_agent, success, risk_level,
         metadata, correlation_id, timestamp)
    SELECT %(id)s, user_id, %(event_type)s, %(description)s, %(ip_address)s::inet, %(user_agent)s,
        %(success)s, %(risk_level)s, %(metadata)s::jsonb, %(correlation_id)s, %(timestamp)s
    FROM swapped
)"""
_RESULT = " SELECT count(*) FROM swapped"
_EVENT_FIELDS = (
    "id",
    "event_type",
    "description",
    "ip_address",
    "user_agent",
    "success",
    "risk_level",
    "correlation_id",
    "timestamp",
)


def rotate(
    session: UserSession,
    event: AuditLog | None,
    *,
    new: str,
    at: dt.datetime,
    client_digest: str,
) -> bool:
    """Replace a session's refresh token by `new`, revoke the old one, and store an unsaved event.

    `client_digest` is that of the client who refreshes. Returns False if another request was
    faster; then nothing is written. `session` itself is not changed.
    """
    write = _in_one_statement if connection.vendor == "postgresql" else _in_a_transaction
    return write(session, event, new=new, at=at, client_digest=client_digest)


def _in_one_statement(
    session: UserSession, event: AuditLog | None, *, at: dt.datetime, **values: Any
) -> bool:
    values |= {
        "session": session.pk,
        "old": session.refresh_token_jti,
        "old_expires_at": session.expires_at,
        "at": at,
        "activity_at": session.activity(at=at),
        "expires_at": session.next_expiry(at=at),
        "now": timezone.now(),
        "reason": TokenBlacklist.Reason.ROTATION.value,
    }
    if event:
        values |= {name: getattr(event, name) for name in _EVENT_FIELDS}
        values["metadata"] = json.dumps(event.metadata)
    with connection.cursor() as cursor:
        cursor.execute(f"{_SWAP}{_RECORD if event else ''}{_RESULT}", values)
        return bool(cursor.fetchone()[0])


def _in_a_transaction(session: UserSession, event: AuditLog | None, **values: Any) -> bool:
    with transaction.atomic():
        if not UserSession.objects.swap_jti(session, **values):
            return False
        TokenBlacklist.blacklist_token(
            jti=session.refresh_token_jti,
            user_id=session.user_id,
            expires_at=session.expires_at,
            reason=TokenBlacklist.Reason.ROTATION,
        )
        if event:
            event.save(force_insert=True)
    return True
