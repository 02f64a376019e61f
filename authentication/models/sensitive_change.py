"""Sensitive changes of an account, which its owner can undo for seven days."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

UNDO_LIFETIME = dt.timedelta(days=7)


class SensitiveChangeQuerySet(models.QuerySet[Any]):
    """Sensitive changes: stored with what they change, looked up to be undone."""

    def note(
        self, kind: str, *, session: Any, at: dt.datetime, **details: Any
    ) -> "SensitiveChange":
        """Store that a session makes a change; call it under the lock of the account's row.

        It is stored as later than those before it, whichever replica's clock is ahead.

        `details` is what undoing the change needs and the account does not hold. It is not secret.
        """
        mine = self.filter(user_id=session.user_id).order_by("-made_at")
        last = mine.values_list("made_at", flat=True).first()
        change: SensitiveChange = self.create(
            user_id=session.user_id,
            session_id=session.pk,
            kind=kind,
            made_at=max(at, last + dt.timedelta(microseconds=1)) if last else at,
            details=details,
        )
        return change

    def undoable(self, user_id: uuid.UUID, *, at: dt.datetime) -> Self:
        """Return the changes of a user that are less than seven days old, undone ones included."""
        return self.filter(user_id=user_id, made_at__gt=at - UNDO_LIFETIME)


class SensitiveChange(models.Model):
    """One sensitive change, and the session that made it."""

    class Kind(models.TextChoices):
        """What was changed."""

        EMAIL = "email"
        DELETION = "deletion"
        SECOND_FACTOR = "second_factor"
        USERNAME = "username"
        NOTICES = "notices"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    # No foreign key: sessions are deleted earlier. Null for changes from before this table.
    session_id = models.UUIDField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = SensitiveChangeQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "-made_at"], name="sensitive_change_newest"),
            models.Index(fields=["made_at"], name="sensitive_change_made_at"),
        )

    def __str__(self) -> str:
        return f"change of {self.kind} by {self.user_id}"
