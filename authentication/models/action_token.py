"""Secrets that let whoever reads a person's mail do one thing; only their digests are stored."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from authentication.utils.crypto import digest, new_token


class ActionTokenQuerySet(models.QuerySet["ActionToken"]):
    """Tokens and the one statement that spends one."""

    def issue(
        self,
        action: str,
        *,
        user_id: uuid.UUID,
        at: dt.datetime,
        lifetime: dt.timedelta,
        **subject: Any,
    ) -> str:
        """Return a new token for an action on a subject, which is named by what is no secret."""
        token = new_token()
        self.create(
            action=action,
            user_id=user_id,
            subject=subject,
            token=digest(token),
            created_at=at,
            expires_at=at + lifetime,
        )
        return token

    def usable(self, token: str, *, action: str, at: dt.datetime) -> "ActionToken | None":
        """Return the row of a token, with its person, while it can be used for this action."""
        unused = self.filter(token=digest(token), action=action, used_at=None, expires_at__gt=at)
        return unused.select_related("user").first()

    def spend(self, token: str, *, action: str, at: dt.datetime) -> bool:
        """Claim a token; of any number of callers one gets True."""
        unused = self.filter(token=digest(token), action=action, used_at=None, expires_at__gt=at)
        return bool(unused.update(used_at=at))

    def void(self, action: str, *, user_id: uuid.UUID) -> None:
        """Take back every token of a person for an action that has not been used."""
        self.filter(action=action, user_id=user_id, used_at=None).delete()


class ActionToken(models.Model):
    """Leave, given by mail, to do one thing."""

    class Action(models.TextChoices):
        """What a token is good for, and for nothing else."""

        DISOWN_SESSION = "disown_session"
        CONFIRM_EMAIL = "confirm_email"
        UNDO_EMAIL = "undo_email"
        DOWNLOAD_EXPORT = "download_export"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    action = models.CharField(max_length=32, choices=Action.choices)
    token = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256
    subject = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = ActionTokenQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "action"], name="action_token_user"),
            models.Index(fields=["expires_at"], name="action_token_expires_at"),
        )
        constraints = (
            models.CheckConstraint(
                name="action_token_expires_later", condition=Q(expires_at__gt=F("created_at"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.action} of {self.user_id}"
