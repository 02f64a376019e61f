"""Collection of all personal data of an account (GDPR, articles 15 and 20)."""

from typing import Any

from authentication.models import (
    ActionToken,
    AuditLog,
    Consent,
    EmailChange,
    EmailVerificationToken,
    KnownDevice,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    SecondFactorRemoval,
    SensitiveChange,
    User,
    UsernameHold,
    UserProfile,
    UserSession,
)

_Mail = OutgoingEmail.Kind
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

# Links and former passwords appear with their times only, because their content is secret.
_TABLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "consents": (Consent, ("document", "version", "accepted_at", "ip_address", "user_agent")),
    "sessions": (UserSession, _SESSION),
    "events": (AuditLog, _EVENT),
    "mails": (OutgoingEmail, ("kind", "status", "created_at", "sent_at")),
    "email_changes": (
        EmailChange,
        ("old_email", "new_email", "requested_at", "confirmed_at", "undone_at"),
    ),
    "sensitive_changes": (
        SensitiveChange,
        ("kind", "session_id", "details", "made_at", "undone_at"),
    ),
    "verification_links": (
        EmailVerificationToken,
        ("email", "created_at", "expires_at", "verified_at"),
    ),
    "reset_links": (PasswordResetToken, ("created_at", "used_at")),
    "other_links": (ActionToken, ("action", "created_at", "expires_at", "used_at")),
    "known_devices": (
        KnownDevice,
        ("created_at", "last_used_at", "failed_login_attempts", "locked_until"),
    ),
    "second_factor_removals": (
        SecondFactorRemoval,
        ("reason", "requested_at", "ended_at", "outcome"),
    ),
    "password_changes": (PasswordHistory, ("created_at",)),
    "held_usernames": (UsernameHold, ("reason", "held_at")),
}


def collect_personal_data(user: User) -> dict[str, Any]:
    """Return all personal data of a user without secrets, by topic.

    The values are JSON types, datetimes and UUIDs.
    """
    profile = (
        UserProfile.objects.filter(user=user)
        .values("display_name", "timezone", "visibility")
        .first()
    )
    return {
        "account": {name: getattr(user, name) for name in _ACCOUNT},
        "profile": profile or {},
        **{name: _rows(table, fields, user) for name, (table, fields) in _TABLES.items()},
    }


def _without_delivery(mail: dict[str, Any]) -> dict[str, Any]:
    """Leave out what became of a mail to an address that the user asked to move to.

    It would tell whether the address is another user's. The links in such mails are left out too.
    """
    hidden = {"status": None, "sent_at": None} if mail["kind"] == _Mail.EMAIL_CHANGE else {}
    return {**mail, **hidden}


def _rows(table: Any, fields: tuple[str, ...], user: User) -> list[dict[str, Any]]:
    rows = table.objects.filter(user=user)
    if table is ActionToken:
        rows = rows.exclude(action=ActionToken.Action.CONFIRM_EMAIL)
    found = rows.order_by("pk").values(*fields)
    return [_without_delivery(row) for row in found] if table is OutgoingEmail else list(found)
