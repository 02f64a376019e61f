"""The outbox: mails that are to be sent, written in the transaction of what caused them."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class OutgoingEmailQuerySet(models.QuerySet["OutgoingEmail"]):
    """Mails and the claims their senders make on them."""

    def waiting(self) -> Self:
        """Return the mails that wait to be sent, now or later."""
        return self.filter(status__in=["queued", "sending"])

    def due(self, *, at: dt.datetime) -> Self:
        """Return the mails that wait to be sent now."""
        return self.waiting().filter(next_attempt_at__lte=at)

    def claim(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Take a mail to send it; of any number of senders one gets True. A sender that dies loses its claim."""
        mine = self.due(at=at).filter(pk=pk)
        return bool(
            mine.update(attempts=F("attempts") + 1, next_attempt_at=at + settings.EMAIL_LEASE)
        )


class OutgoingEmail(models.Model):
    """The intent to mail a person. Its tokens are made when it is sent, so none is stored here."""

    class Kind(models.TextChoices):
        """What a mail is about; the name of its templates."""

        VERIFICATION = "verification"
        ACCOUNT_EXISTS = "account_exists"
        ACCOUNT_LOCKED = "account_locked"
        PASSWORD_RESET = "password_reset"  # noqa: S105 -- a mail's name
        PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- a mail's name
        BREACHED_PASSWORD = "breached_password"  # noqa: S105 -- a mail's name
        NEW_DEVICE = "new_device"
        ACCOUNT_DELETED = "account_deleted"
        EXPORT_READY = "export_ready"
        EMAIL_CHANGE = "email_change"
        EMAIL_CHANGE_NOTICE = "email_change_notice"
        SECOND_FACTOR_CHANGED = "second_factor_changed"
        SECOND_FACTOR_BLOCKED = "second_factor_blocked"
        TOKEN_REUSE = "token_reuse"  # noqa: S105 -- a mail's name

    class Status(models.TextChoices):
        """How far it got."""

        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        SUPPRESSED = "suppressed"
        DEAD = "dead"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Without a person it is a decoy: the same work for an unknown address as for a known one.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=32, choices=Kind.choices)
    context = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=100, blank=True, default="")
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
            models.Index(fields=["created_at"], name="outbox_dead", condition=Q(status="dead")),
            models.Index(fields=["user", "kind", "sent_at"], name="outbox_person_kind"),
        )
        constraints = (
            models.CheckConstraint(
                name="outbox_sent_has_a_time",
                condition=~Q(status="sent") | Q(sent_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"
