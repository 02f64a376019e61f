"""What staff note about a person."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

NOTE_MAX_LENGTH = 1_000


class StaffNote(models.Model):
    """A note about a person. It is in the copy of their data, and goes with their account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    text = models.CharField(max_length=NOTE_MAX_LENGTH)
    written_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = (models.Index(fields=["user", "-written_at"], name="staff_note_newest"),)

    def __str__(self) -> str:
        return f"note about {self.user_id}"
