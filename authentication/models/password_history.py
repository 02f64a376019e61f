"""The passwords a person had, hashed, so that they are not chosen again."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class PasswordHistory(models.Model):
    """A password a person had."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    password_hash = models.CharField(max_length=256)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "password histories"
        indexes = (models.Index(fields=["user", "-created_at"], name="history_user_newest"),)

    def __str__(self) -> str:
        return f"password of {self.user_id}"

    @classmethod
    def add(cls, user_id: uuid.UUID, old: str, new: str) -> None:
        """Keep the hash of a new password, that of the old one if nothing did, and no more than the policy looks at."""
        mine = cls.objects.filter(user_id=user_id)
        known = set(mine.values_list("password_hash", flat=True))
        # An account made by the command line has a password and no history; a hash is also renewed
        # at a sign-in.
        PasswordHistory.objects.bulk_create(
            PasswordHistory(user_id=user_id, password_hash=encoded)
            for encoded in (old, new)
            if encoded not in known
        )
        kept = mine.order_by("-created_at", "-pk").values_list("pk", flat=True)[
            : settings.PASSWORD_HISTORY_LIMIT
        ]
        mine.exclude(pk__in=list(kept)).delete()
