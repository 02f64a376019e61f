"""Old rows of every table that has a retention."""

import datetime as dt
from collections.abc import Callable

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    BulkAction,
    EmailChange,
    EmailVerificationToken,
    FailedTask,
    HourlyCount,
    Invitation,
    KnownCountry,
    KnownDevice,
    OutgoingEmail,
    PasswordResetToken,
    RecoveryCode,
    SecondFactorRemoval,
    SensitiveChange,
    SignInChallenge,
    TokenBlacklist,
    User,
    UsernameHold,
    UserSession,
)
from authentication.tests.sealing import seal_now

DAY = dt.timedelta(days=1)


def ago(days: float) -> dt.datetime:
    """Return the moment so many days ago."""
    return timezone.now() - days * DAY


def sealed(event: AuditLog) -> AuditLog:
    """Return an event after sealing it: retention deletes sealed events."""
    seal_now()
    return event


def session(person: User, *, ended: bool, expired: float) -> UserSession:
    """Return a session that expired so many days ago."""
    end = {"is_active": False, "ended_at": ago(expired)} if ended else {}
    return UserSession.objects.create(
        user=person, created_at=ago(400), expires_at=ago(expired), **end
    )


# The rule, the retention in days, and a function that makes a row of a given age.
Maker = Callable[[User, float], Model]
ROWS: dict[str, tuple[str, float, Maker]] = {
    "old sessions": (
        "sessions",
        90,
        lambda person, days: session(person, ended=True, expired=days),
    ),
    "known countries": (
        "sessions",
        365,
        lambda person, days: KnownCountry.objects.create(
            user=person,
            country="DE" if days > 365 else "GB",
            ip_address="91.64.0.7",
            created_at=ago(days + 1),
            last_used_at=ago(days),
        ),
    ),
    "sessions of the admin": (
        "sessions",
        0,
        lambda _, days: Session.objects.create(session_key=f"x{days}", expire_date=ago(days)),
    ),
    "invitations": (
        "tokens",
        30,
        lambda _, days: Invitation.objects.create(
            email=f"naomi{days}@example.org", expires_at=ago(days)
        ),
    ),
    "removals of second factors": (
        "tokens",
        30,
        lambda person, days: SecondFactorRemoval.objects.create(
            user=person,
            factor_since=ago(days),
            reason="x",
            requested_at=ago(days + 1),
            ended_at=ago(days),
            outcome="stopped",
        ),
    ),
    "verification tokens": (
        "tokens",
        30,
        lambda person, days: EmailVerificationToken.objects.create(
            user=person,
            email=person.email,
            token="x",
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "reset tokens": (
        "tokens",
        30,
        lambda person, days: PasswordResetToken.objects.create(
            user=person, token="x", created_at=ago(days)
        ),
    ),
    "exports": (
        "tokens",
        2,
        lambda person, days: AccountExport.objects.create(user=person, requested_at=ago(days)),
    ),
    "action tokens": (
        "tokens",
        30,
        lambda person, days: ActionToken.objects.create(
            user=person,
            action="disown_session",
            token="x",
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "sign-ins that stopped at the second factor": (
        "tokens",
        0,
        lambda person, days: SignInChallenge.objects.create(
            user=person,
            token=f"x{days}",
            by_password=True,
            password_changed_at=person.password_changed_at,
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "changes of address": (
        "tokens",
        30,
        lambda person, days: EmailChange.objects.create(
            user=person,
            old_email="a@example.org",
            new_email="b@example.org",
            requested_at=ago(days),
        ),
    ),
    "sensitive changes": (
        "tokens",
        30,
        lambda person, days: SensitiveChange.objects.create(
            user=person, kind="notices", made_at=ago(days)
        ),
    ),
    "revoked tokens": (
        "blacklist",
        0,
        lambda person, days: TokenBlacklist.objects.create(
            jti="x", user=person, expires_at=ago(days)
        ),
    ),
    "events": (
        "audit",
        365,
        lambda person, days: sealed(
            AuditLog.objects.create(user=person, event_type="login", timestamp=ago(days))
        ),
    ),
    "counts of events": (
        "audit",
        400,
        lambda _, days: HourlyCount.objects.create(hour=ago(days), name="login", count=1),
    ),
    "questions of staff": (
        "audit",
        1,
        lambda person, days: BulkAction.objects.create(actor=person, asked_at=ago(days)),
    ),
    "bulk actions": (
        "audit",
        365,
        lambda person, days: BulkAction.objects.create(
            actor=person, asked_at=ago(days), started_at=ago(days)
        ),
    ),
    "sent mails": (
        "mails",
        90,
        lambda person, days: OutgoingEmail.objects.create(
            user=person, kind="verification", status="sent", sent_at=ago(days), created_at=ago(days)
        ),
    ),
    "dead letters": (
        "mails",
        90,
        lambda person, days: OutgoingEmail.objects.create(
            user=person, kind="verification", status="dead", created_at=ago(days)
        ),
    ),
    "used recovery codes": (
        "tokens",
        30,
        lambda person, days: RecoveryCode.objects.create(
            user=person, digest=f"x{days}", used_at=ago(days)
        ),
    ),
    "actions in the admin": (
        "audit",
        365,
        lambda person, days: LogEntry.objects.create(
            user=person, object_repr="x", action_flag=2, action_time=ago(days)
        ),
    ),
    "known devices": (
        "sessions",
        400,
        lambda person, days: KnownDevice.objects.create(
            user=person, digest=f"x{days}", last_used_at=ago(days)
        ),
    ),
    "usernames that were given up": (
        "accounts",
        90,
        lambda _, days: UsernameHold.objects.create(
            name=f"x{days}", skeleton="x", reason="left", held_at=ago(days)
        ),
    ),
    "failed tasks": (
        "mails",
        30,
        lambda _, days: FailedTask.objects.create(task="x", error="OSError", failed_at=ago(days)),
    ),
}
