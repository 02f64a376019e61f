"""The outbox: mails to be sent, stored in the transaction that causes them."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    """Queries of the outbox."""

    def waiting(self) -> Self:
        """Return the mails that are not sent yet, including later retries."""
        return self.filter(status__in=["queued", "sending"])

    def due(self, *, at: dt.datetime) -> Self:
        """Return the mails whose next attempt is due."""
        return self.waiting().filter(next_attempt_at__lte=at)

    def claim(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim a mail to send it. Only one of several concurrent senders gets True.

        The claim ends after EMAIL_LEASE, so that another sender can take over from a dead one.
        """
        mine = self.due(at=at).filter(pk=pk)
        return bool(
            mine.update(attempts=F("attempts") + 1, next_attempt_at=at + settings.EMAIL_LEASE)
        )


class OutgoingEmail(models.Model):
    """A mail to be sent. Its link tokens are created at sending, so that no secret is stored."""

    class Kind(models.TextChoices):
        """The kinds of mails, which are also the names of their templates."""

        VERIFICATION = "verification"
        ACCOUNT_EXISTS = "account_exists"
        ACCOUNT_LOCKED = "account_locked"
        CHOOSE_PASSWORD = "choose_password"  # noqa: S105 -- a mail's name
        PASSWORD_RESET = "password_reset"  # noqa: S105 -- a mail's name
        PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- a mail's name
        BREACHED_PASSWORD = "breached_password"  # noqa: S105 -- a mail's name
        NEW_DEVICE = "new_device"
        NEW_COUNTRY = "new_country"
        ACCOUNT_DELETED = "account_deleted"
        EXPORT_READY = "export_ready"
        EXPORT_FAILED = "export_failed"
        EMAIL_CHANGE = "email_change"
        EMAIL_CHANGE_NOTICE = "email_change_notice"
        SECOND_FACTOR_CHANGED = "second_factor_changed"
        SECOND_FACTOR_BLOCKED = "second_factor_blocked"
        RECOVERY_CODE_USED = "recovery_code_used"
        SECOND_FACTOR_REMOVAL = "second_factor_removal"
        TOKEN_REUSE = "token_reuse"  # noqa: S105 -- a mail's name
        USERNAME_CHANGED = "username_changed"
        NOTICES_STOPPED = "notices_stopped"
        SESSION_DISOWNED = "session_disowned"
        FORMER_ADDRESS = "former_address"
        AUDIT_SEAL = "audit_seal"
        INVITATION = "invitation"
        ROLE_CHANGED = "role_changed"

    class Status(models.TextChoices):
        """The states of a mail; DEAD after the last failed attempt."""

        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        SUPPRESSED = "suppressed"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A row without a user is an invitation, or a decoy: an unknown address then costs the same
    # work as a known one.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=32, choices=Kind.choices)
    context = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=100, blank=True, default="")
    # Of the request that caused the mail.
    correlation_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OutgoingEmailQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["next_attempt_at"],
                name="outbox_due",
                condition=Q(status__in=["queued", "sending"]),
            ),
            # The admin's lists: of all mails, of a kind, and of a state but the usual one.
            models.Index(fields=["created_at"], name="outbox_created_at"),
            models.Index(fields=["kind", "created_at"], name="outbox_kind"),
            models.Index(
                fields=["status", "created_at"], name="outbox_status", condition=~Q(status="sent")
            ),
            models.Index(fields=["user", "kind", "sent_at"], name="outbox_person_kind"),
            models.Index(
                fields=["correlation_id"],
                name="outbox_correlation_id",
                condition=~Q(correlation_id=""),
            ),
        )
        constraints = (
            models.CheckConstraint(
                name="outbox_sent_has_a_time",
                condition=~Q(status="sent") | Q(sent_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"
