"""The audit log of security events."""

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.db.models.lookups import IsNull
from django.utils import timezone

_TRIED_NAME = Cast(KT("metadata__name"), models.TextField())
_ACTOR = Cast(KT("metadata__actor"), models.TextField())

_SHOWN = ~Q(event_type="token_refresh")
_OF_NAMES = ("login_failed", "account_locked")
_WITHOUT_ACCOUNT = Q(user=None, event_type__in=[*_OF_NAMES])


def _is_stored(value: Cast) -> Q:
    return Q(IsNull(value, False))  # noqa: FBT003 -- a lookup's right side


class AuditLogQuerySet(models.QuerySet[Any]):
    """Events, found by whom they are about or name."""

    def failures_without_account(self) -> Self:
        """Return the failed sign-ins by names that no account has, and the locks of such names."""
        return self.filter(_WITHOUT_ACCOUNT)

    def shown(self) -> Self:
        """Return the events that a person is shown: a refresh tells nothing to act on."""
        return self.filter(_SHOWN)

    def after(self, moment: dt.datetime, pk: uuid.UUID) -> Self:
        """Return the events after one of this time and id, in the order of time and id."""
        later = Q(timestamp__gt=moment) | Q(pk__gt=pk)
        # The first condition lets an index find them.
        return self.filter(timestamp__gte=moment).filter(later).order_by("timestamp", "pk")

    def of_names(self, pseudonyms: Collection[str]) -> Self:
        """Return the events without an account that name one of these pseudonyms of a name."""
        named = self.annotate(tried_name=_TRIED_NAME)
        return named.filter(user=None, tried_name__in=pseudonyms)

    def of_actor(self, user_id: uuid.UUID) -> Self:
        """Return the events that a member of staff caused on other accounts."""
        return self.annotate(acting_user=_ACTOR).filter(acting_user=str(user_id))


class AuditLog(models.Model):
    """One security event. It never holds a password, token, code or email address in the clear."""

    class Event(models.TextChoices):
        """The types of events."""

        REGISTRATION = "registration"
        REGISTRATION_DUPLICATE = "registration_duplicate"
        EMAIL_VERIFIED = "email_verified"
        EMAIL_VERIFICATION_FAILED = "email_verification_failed"
        EMAIL_RESEND = "email_resend"
        EMAIL_CORRECTED = "email_corrected"
        ADDRESS_RELEASED = "address_released"
        LOGIN = "login"
        LOGIN_FAILED = "login_failed"
        REAUTHENTICATED = "reauthenticated"
        SECOND_FACTOR_ASKED = "second_factor_asked"
        SECOND_FACTOR_USED = "second_factor_used"
        SECOND_FACTOR_FAILED = "second_factor_failed"
        SECOND_FACTOR_BLOCKED = "second_factor_blocked"
        SECOND_FACTOR_OFFERED = "second_factor_offered"
        SECOND_FACTOR_ENABLED = "second_factor_enabled"
        SECOND_FACTOR_DISABLED = "second_factor_disabled"
        SECOND_FACTOR_REMOVAL_REQUESTED = "second_factor_removal_requested"
        SECOND_FACTOR_REMOVAL_STOPPED = "second_factor_removal_stopped"
        SECOND_FACTOR_REMOVAL_CANCELLED = "second_factor_removal_cancelled"
        SECOND_FACTOR_REMOVAL_FAILED = "second_factor_removal_failed"
        RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
        ACCOUNT_LOCKED = "account_locked"
        ACCOUNT_UNLOCKED = "account_unlocked"
        LOGOUT = "logout"
        TOKEN_REFRESH = "token_refresh"  # noqa: S105 -- an event's name
        TOKEN_REUSE_DETECTED = "token_reuse_detected"  # noqa: S105 -- an event's name
        TOKEN_EXCHANGE = "token_exchange"  # noqa: S105 -- an event's name
        TOKEN_EXCHANGE_FAILED = "token_exchange_failed"  # noqa: S105 -- an event's name
        SESSION_TERMINATED = "session_terminated"
        SESSIONS_TERMINATED = "sessions_terminated"
        SESSION_EVICTED = "session_evicted"
        SESSION_RENEWED = "session_renewed"
        SESSION_RENAMED = "session_renamed"
        SESSION_DISOWNED = "session_disowned"
        SESSION_DISOWN_FAILED = "session_disown_failed"
        PROFILE_UPDATED = "profile_updated"
        EMAIL_CHANGE_REQUESTED = "email_change_requested"
        EMAIL_CHANGE_CANCELLED = "email_change_cancelled"
        EMAIL_CHANGE_FAILED = "email_change_failed"
        EMAIL_CHANGED = "email_changed"
        EMAIL_CHANGE_UNDONE = "email_change_undone"
        EMAIL_BOUNCED = "email_bounced"
        EMAIL_COMPLAINED = "email_complained"
        NOTICES_CHANGED = "notices_changed"
        CHANGE_UNDONE = "change_undone"
        CHANGE_UNDO_FAILED = "change_undo_failed"
        EXPORT_REQUESTED = "export_requested"
        EXPORT_DOWNLOADED = "export_downloaded"
        EXPORT_DOWNLOAD_FAILED = "export_download_failed"
        ACCOUNT_DELETION_REQUESTED = "account_deletion_requested"
        ACCOUNT_RESTORED = "account_restored"
        ACCOUNT_ERASED = "account_erased"
        CONSENT_GIVEN = "consent_given"
        PASSWORD_CHANGE = "password_change"  # noqa: S105 -- an event's name
        PASSWORD_RESET_REQUESTED = "password_reset_requested"  # noqa: S105 -- an event's name
        PASSWORD_RESET = "password_reset"  # noqa: S105 -- an event's name
        PASSWORD_RESET_FAILED = "password_reset_failed"  # noqa: S105 -- an event's name
        PASSWORD_BREACHED = "password_breached"  # noqa: S105 -- an event's name
        TOKEN_REVOKED = "token_revoked"  # noqa: S105 -- an event's name
        EXCHANGE_REPLAYED = "exchange_replayed"
        ADMIN_LOGIN = "admin_login"
        ADMIN_LOGIN_REFUSED = "admin_login_refused"
        NEW_COUNTRY = "new_country"
        IMPOSSIBLE_TRAVEL = "impossible_travel"
        MANY_ACCOUNTS_TRIED = "many_accounts_tried"
        MANY_ADDRESSES = "many_addresses"
        ADMIN_ACTION = "admin_action"
        AUDIT_LOG_EXPORTED = "audit_log_exported"
        INVITATION_ACCEPTED = "invitation_accepted"
        INVITATION_FAILED = "invitation_failed"

    class Risk(models.TextChoices):
        """The severity of an event."""

        LOW = "low"
        MEDIUM = "medium"
        HIGH = "high"
        CRITICAL = "critical"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # `audit_user_newest` begins with it.
    )
    event_type = models.CharField(max_length=48, choices=Event.choices)
    description = models.CharField(max_length=255, blank=True, default="")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=512, blank=True, default="")
    success = models.BooleanField(default=True)
    risk_level = models.CharField(max_length=8, choices=Risk.choices, default=Risk.LOW)
    metadata = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    timestamp = models.DateTimeField(default=timezone.now)

    objects: ClassVar[Any] = AuditLogQuerySet.as_manager()

    class Meta:
        permissions = (("export_auditlog", "Can export the audit log"),)
        indexes = (
            models.Index(fields=["user", "-timestamp"], name="audit_user_newest"),
            # For a person's activity, which hides refreshes.
            models.Index(fields=["user", "-timestamp"], name="audit_user_shown", condition=_SHOWN),
            models.Index(fields=["event_type", "-timestamp"], name="audit_event_newest"),
            models.Index(fields=["ip_address", "-timestamp"], name="audit_address_newest"),
            models.Index(fields=["-timestamp"], name="audit_newest"),
            # For staff who were told the id of a request. A refresh does not write it.
            models.Index(
                fields=["correlation_id"],
                name="audit_correlation_id",
                condition=_SHOWN & ~Q(correlation_id=""),
            ),
            # The admin's filter. Most events are of a low risk, which `audit_newest` finds.
            models.Index(
                fields=["risk_level", "-timestamp"],
                name="audit_risk",
                condition=~Q(risk_level="low"),
            ),
            # For an erasure, which must not read the whole log.
            models.Index(_TRIED_NAME, name="audit_name", condition=_is_stored(_TRIED_NAME)),
            models.Index(_ACTOR, name="audit_actor", condition=_is_stored(_ACTOR)),
            # For the retention of what a flood of made-up names leaves.
            models.Index(
                fields=["timestamp"],
                name="audit_without_account",
                condition=_WITHOUT_ACCOUNT,
            ),
        )

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} {self.event_type}"

    def is_without_account(self) -> bool:
        """Return whether it is one of `failures_without_account`."""
        return self.user_id is None and self.event_type in _OF_NAMES

    @classmethod
    def log_event(cls, event_type: str, **fields: Any) -> "AuditLog":
        """Store one event. `fields` are the other fields of the model."""
        return cls.objects.create(event_type=event_type, **fields)
