"""Collection of all personal data of an account (GDPR, articles 15 and 20)."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Q

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    Consent,
    EmailChange,
    EmailVerificationToken,
    Invitation,
    KnownCountry,
    KnownDevice,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    RecoveryCode,
    SecondFactor,
    SecondFactorRemoval,
    SensitiveChange,
    SignInChallenge,
    StaffNote,
    TokenBlacklist,
    User,
    UsernameHold,
    UserProfile,
    UserSession,
)

_Mail = OutgoingEmail.Kind
_PAGE = 1_000
_ACCOUNT = (
    "id",
    "email",
    "username",
    "first_name",
    "last_name",
    "email_verified",
    "email_verified_at",
    "email_bounced_at",
    "email_complained_at",
    "notices_stopped_at",
    "password_changed_at",
    "password_breached_at",
    "failed_login_attempts",
    "locked_until",
    "lock_reason",
    "unlocked_at",
    "last_login",
    "second_factor_at",
    "is_active",
    "is_staff",
    "is_superuser",
    "language",
    "registered_language",
    "deletion_requested_at",
    "created_at",
)
_SESSION = (
    "id",
    "device_name",
    "device_type",
    "browser",
    "operating_system",
    "device_fingerprint",
    "user_agent",
    "ip_address",
    "city",
    "country",
    "is_active",
    "is_verified",
    "remember_me",
    "created_at",
    "last_activity_at",
    "last_rotation_at",
    "reauthenticated_at",
    "password_proven_at",
    "failed_login_attempts",
    "locked_until",
    "expires_at",
    "ended_at",
    "end_reason",
)
_EVENT = (
    "timestamp",
    "event_type",
    "description",
    "success",
    "risk_level",
    "ip_address",
    "user_agent",
    "correlation_id",
    "metadata",
)

_SIGN_IN = (
    "device_name",
    "remember_me",
    "by_password",
    "tries",
    "created_at",
    "expires_at",
    "used_at",
)

# Links and former passwords appear with their times only, because their content is secret.
_PROFILE = ("display_name", "timezone", "visibility")
_TABLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "consents": (Consent, ("document", "version", "accepted_at", "ip_address", "user_agent")),
    "notes": (StaffNote, ("text", "written_at")),
    "sessions": (UserSession, _SESSION),
    "events": (AuditLog, _EVENT),
    "mails": (OutgoingEmail, ("kind", "status", "correlation_id", "created_at", "sent_at")),
    "email_changes": (
        EmailChange,
        ("old_email", "new_email", "requested_at", "confirmed_at", "undone_at", "is_from_proven"),
    ),
    "sensitive_changes": (
        SensitiveChange,
        ("kind", "session_id", "details", "made_at", "undone_at"),
    ),
    "verification_links": (
        EmailVerificationToken,
        ("email", "created_at", "expires_at", "verified_at", "voided_at"),
    ),
    "reset_links": (PasswordResetToken, ("created_at", "used_at", "voided_at")),
    "other_links": (ActionToken, ("action", "created_at", "expires_at", "used_at", "voided_at")),
    "invitations": (
        Invitation,
        ("email", "first_name", "last_name", "created_at", "expires_at", "accepted_at"),
    ),
    "known_countries": (
        KnownCountry,
        ("country", "ip_address", "created_at", "last_used_at"),
    ),
    "known_devices": (
        KnownDevice,
        ("created_at", "last_used_at", "failed_login_attempts", "locked_until"),
    ),
    "second_factor_removals": (
        SecondFactorRemoval,
        ("reason", "requested_at", "ended_at", "outcome"),
    ),
    "password_changes": (PasswordHistory, ("created_at",)),
    "second_factors": (SecondFactor, ("pending_at", "window_started_at", "window_tries")),
    "recovery_codes": (RecoveryCode, ("created_at", "used_at")),
    "unfinished_sign_ins": (SignInChallenge, _SIGN_IN),
    "revoked_tokens": (TokenBlacklist, ("reason", "blacklisted_at", "expires_at")),
    "exports": (AccountExport, ("requested_at", "ready_at", "failed_at", "downloaded_at")),
    "held_usernames": (UsernameHold, ("reason", "held_at")),
}


def personal_data(user: User) -> Iterator[tuple[str, Any]]:
    """Yield all personal data of a user without secrets, as pairs of a topic and its content.

    A table is an iterator over its rows. The values are JSON types, datetimes and UUIDs.
    """
    profile = UserProfile.objects.filter(user=user).values(*_PROFILE).first()
    yield "account", {name: getattr(user, name) for name in _ACCOUNT}
    yield "profile", profile or {}
    for name, (table, fields) in _TABLES.items():
        yield name, _rows(table, fields, user)


def _without_delivery(mail: dict[str, Any]) -> dict[str, Any]:
    """Leave out what became of a mail to an address that the user asked to move to.

    It would tell whether the address is another user's. The links in such mails are left out too.
    """
    hidden = {"status": None, "sent_at": None} if mail["kind"] == _Mail.EMAIL_CHANGE else {}
    return {**mail, **hidden}


def _rows(table: Any, fields: tuple[str, ...], user: User) -> Iterator[dict[str, Any]]:
    rows = table.objects.filter(_is_about(table, user))
    if table is ActionToken:
        rows = rows.exclude(action=ActionToken.Action.CONFIRM_EMAIL)
    found = rows.values("pk", *fields)
    for row in _by_time(found) if table is AuditLog else _by_key(found):
        shown = {name: row[name] for name in fields}
        yield _without_delivery(shown) if table is OutgoingEmail else shown


def _is_about(table: Any, user: User) -> Q:
    """Return the condition of the rows about a user; of invitations, those to the address, too."""
    own = Q(user=user)
    is_invited = table is Invitation and user.email_verified
    return own | Q(email_canonical=user.email_canonical) if is_invited else own


def _by_key(rows: Any) -> Iterator[Any]:
    page = list(rows.order_by("pk")[:_PAGE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1]["pk"]).order_by("pk")[:_PAGE])


def _by_time(events: Any) -> Iterator[Any]:
    """Yield events, the newest first, in the order of their index: there may be a million."""
    ordered = events.order_by("-timestamp", "-pk")
    page = list(ordered[:_PAGE])
    while page:
        yield from page
        last = page[-1]
        older = Q(timestamp__lt=last["timestamp"]) | Q(pk__lt=last["pk"])
        # The first condition bounds the index; the second alone would not.
        page = list(ordered.filter(older, timestamp__lte=last["timestamp"])[:_PAGE])
