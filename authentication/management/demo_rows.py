"""What years of use leave of made-up people, as SQL (PostgreSQL)."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from authentication.models import (
    AuditLog,
    Consent,
    OutgoingEmail,
    PasswordHistory,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)

from .demo_data import DEVICES
from .generated_rows import insert_rows, options_of

_ID = "gen_random_uuid()"
_HEX = "replace(gen_random_uuid()::text, '-', '')"
# A network for benchmarks (RFC 2544).
_ADDRESS = "'198.18.0.0'::inet + floor(random() * 131072)::int"
# Never before the account, and of each row anew.
_WITHIN = "greatest(p.created_at, now() - random() * interval '{days} days')"
_LATER = dt.timedelta(days=1)
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def _array(texts: Sequence[str]) -> str:
    return "(ARRAY[" + ", ".join(f"'{text}'" for text in texts) + "])"


def people(source: str, _: int) -> None:
    """Insert the people themselves."""
    every = {field.column: f'p."{field.column}"' for field in options_of(User).concrete_fields}
    insert_rows(User(), f"{source} AS p", **every)


def profiles(source: str, _: int) -> None:
    """Insert a profile each; few are visible."""
    visibility = "CASE WHEN n % 50 = 0 THEN 'members' WHEN n % 501 = 0 THEN 'public'"
    insert_rows(
        UserProfile(),
        f"{source} AS p",
        user_id="p.id",
        display_name="p.first_name",
        visibility=f"{visibility} ELSE 'private' END".replace("%", "%%"),
    )


def consents(source: str, _: int) -> None:
    """Insert the consents that were given at the registration."""
    insert_rows(
        Consent(version="1"),
        f"{source} AS p CROSS JOIN unnest(ARRAY['terms', 'privacy_policy']) AS document",
        id=_ID,
        user_id="p.id",
        document="document",
        accepted_at="p.created_at",
        ip_address=_ADDRESS,
    )


def password_histories(source: str, _: int) -> None:
    """Insert the password that each person has."""
    insert_rows(
        PasswordHistory(),
        f"{source} AS p ORDER BY p.created_at",
        id="",
        user_id="p.id",
        password_hash="p.password",  # noqa: S106 -- a column
        created_at="p.created_at",
    )


def sessions(source: str, _: int) -> None:
    """Insert three sessions each: one that is live, and two that have ended."""
    names, kinds, browsers, systems = (_array(each) for each in zip(*DEVICES, strict=True))
    reasons = _array(("logout", "logout", "password_change", "evicted"))
    reason = f"CASE number WHEN 1 THEN '' WHEN 2 THEN {reasons}[j] ELSE 'expired' END"
    used, ended = "began + (now() - began) * r", "began + (now() - began) * r + interval '1 minute'"
    moments = f"{_WITHIN.format(days=7)} AS began, s.n AS number"
    insert_rows(
        UserSession(expires_at=timezone.now() + _LATER),
        f"{source} AS p CROSS JOIN generate_series(1, 3) AS s(n) CROSS JOIN LATERAL"
        f" (SELECT {moments}, 1 + floor(random() * 4 + 0 * s.n)::int AS i,"
        " 1 + floor(random() * 4 + 0 * s.n)::int AS j, random() + 0 * s.n AS r) AS t",
        id=_ID,
        user_id="p.id",
        session_key=_HEX,
        refresh_token_jti=_HEX,
        device_name=f"{names}[i]",
        device_type=f"{kinds}[i]",
        browser=f"{browsers}[i]",
        operating_system=f"{systems}[i]",
        ip_address=_ADDRESS,
        created_at="began",
        last_activity_at=used,
        last_rotation_at=used,
        expires_at=f"CASE number WHEN 3 THEN {ended} ELSE began + interval '7 days' * (1 + r) END",
        is_active="number = 1",
        ended_at=f"CASE WHEN number > 1 THEN {ended} END",
        end_reason=reason,
    )


def events(source: str, _: int) -> None:
    """Insert five events each, of a year; few are grave, and some name no account."""
    kind = (
        "CASE WHEN r < 0.45 THEN 'login' WHEN r < 0.55 THEN 'login_failed'"
        " WHEN r < 0.70 THEN 'logout' WHEN r < 0.94 THEN 'token_refresh'"
        " WHEN r < 0.97 THEN 'profile_updated' WHEN r < 0.9999 THEN 'password_change'"
        " ELSE 'token_reuse_detected' END"
    )
    insert_rows(
        AuditLog(user_agent=_AGENT),
        f"{source} AS p CROSS JOIN generate_series(1, 5) AS s(n) CROSS JOIN LATERAL"
        " (SELECT random() + 0 * s.n AS r) AS t",
        id=_ID,
        user_id="CASE WHEN r < 0.54 OR r >= 0.55 THEN p.id END",
        event_type=kind,
        success="NOT (r >= 0.45 AND r < 0.55)",
        risk_level=(
            "CASE WHEN r < 0.45 THEN 'low' WHEN r < 0.55 THEN 'medium' WHEN r < 0.97 THEN 'low'"
            " WHEN r < 0.9999 THEN 'medium' ELSE 'critical' END"
        ),
        ip_address=_ADDRESS,
        timestamp=_WITHIN.format(days=365),
        correlation_id=_HEX,
        metadata="jsonb_build_object('session', gen_random_uuid())",
    )


def revoked_tokens(source: str, count: int) -> None:
    """Insert five revoked tokens each, in the order of two weeks; most were replaced."""
    reason = (
        "CASE WHEN r < 0.95 THEN 'rotation' WHEN r < 0.99 THEN 'logout'"
        " WHEN r < 0.999 THEN 'password_change' WHEN r < 0.9999 THEN 'reuse' ELSE 'admin' END"
    )
    insert_rows(
        TokenBlacklist(expires_at=timezone.now()),
        f"(SELECT p.id, age, random() AS r FROM {source} AS p"  # noqa: S608 -- our own names
        f" CROSS JOIN generate_series(0, 4) AS s(n)"
        f" CROSS JOIN LATERAL (SELECT 1 - (s.n * {count} + p.n) / {5.0 * count} AS age) AS t"
        " ORDER BY age DESC) AS x",
        id="",
        jti=_HEX,
        user_id="x.id",
        reason=reason,
        blacklisted_at="now() - interval '14 days' * age",
        expires_at="now() + interval '14 days' * (1 - age) + interval '1 hour'",
    )


def mails(source: str, _: int) -> None:
    """Insert a mail each: none waits, since a sweep would send it."""
    kinds = _array(("verification", "new_device", "password_changed", "account_exists"))
    status = "CASE WHEN r < 0.97 THEN 'sent' WHEN r < 0.999 THEN 'suppressed' ELSE 'dead' END"
    insert_rows(
        OutgoingEmail(),
        f"{source} AS p CROSS JOIN LATERAL"
        f" (SELECT random() AS r, {_WITHIN.format(days=365)} AS made) AS t",
        id=_ID,
        user_id="p.id",
        kind=f"{kinds}[1 + floor(random() * 4)::int]",
        status=status,
        attempts="CASE WHEN r < 0.97 THEN 1 WHEN r < 0.999 THEN 0 ELSE 8 END",
        last_error="CASE WHEN r < 0.999 THEN '' ELSE 'SMTPServerDisconnected' END",
        correlation_id=_HEX,
        created_at="made",
        next_attempt_at="made",
        sent_at="CASE WHEN r < 0.97 THEN made + random() * interval '9 seconds' END",
    )


TABLES = (
    people,
    profiles,
    consents,
    password_histories,
    sessions,
    events,
    revoked_tokens,
    mails,
)
