"""Mailed one-time tokens, each for one action."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.db import models

from .one_time_token import OneTimeToken, OneTimeTokenQuerySet, expires_after_creation


class ActionTokenQuerySet(OneTimeTokenQuerySet):
    """Action tokens; filter by `action` before looking one up."""

    def of(self, action: str) -> Self:
        """Return the tokens for an action."""
        return self.filter(action=action)

    def issue(
        self,
        action: str,
        *,
        user_id: uuid.UUID,
        at: dt.datetime,
        lifetime: dt.timedelta,
        **subject: Any,
    ) -> str:
        """Return a new token for an action; `subject` names its object and is not secret."""
        return self.issue_token(
            user_id, at=at, action=action, subject=subject, expires_at=at + lifetime
        )


class ActionToken(OneTimeToken):
    """A mailed link that lets its owner do one thing."""

    class Action(models.TextChoices):
        """The one thing a token is good for."""

        DISOWN_SESSION = "disown_session"
        CONFIRM_EMAIL = "confirm_email"
        UNDO_EMAIL = "undo_email"
        UNDO_CHANGE = "undo_change"
        DOWNLOAD_EXPORT = "download_export"
        STOP_FACTOR_REMOVAL = "stop_factor_removal"

    action = models.CharField(max_length=32, choices=Action.choices)
    subject = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ActionTokenQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "action"], name="action_token_user"),
            models.Index(fields=["expires_at"], name="action_token_expires_at"),
            models.Index(fields=["action", "id"], name="action_token_action"),
        )
        constraints = (expires_after_creation("action_token_expires_later"),)

    def __str__(self) -> str:
        return f"{self.action} of {self.user_id}"
