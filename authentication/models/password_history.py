"""Hashes of former passwords, which the password policy refuses."""

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

# A former password comes before the new one that is stored with it.
_BEFORE = dt.timedelta(microseconds=1)


class PasswordHistory(models.Model):
    """The hash of a current or former password."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    password_hash = models.CharField(max_length=256)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "password histories"
        indexes = (models.Index(fields=["user", "-created_at"], name="history_user_newest"),)

    def __str__(self) -> str:
        return f"password of {self.user_id}"

    @classmethod
    def add(cls, user_id: uuid.UUID, old: str, new: str, *, at: dt.datetime) -> None:
        """Store the hash of a new password, and of the old one if it is missing.

        Hashes beyond PASSWORD_HISTORY_LIMIT are deleted.
        """
        mine = cls.objects.filter(user_id=user_id)
        known = set(mine.values_list("password_hash", flat=True))
        # The old hash is missing if the account was created by a command, or if a sign-in upgraded
        # the hash.
        PasswordHistory.objects.bulk_create(
            PasswordHistory(user_id=user_id, password_hash=encoded, created_at=created_at)
            for encoded, created_at in ((old, at - _BEFORE), (new, at))
            if encoded not in known
        )
        kept = mine.order_by("-created_at", "-pk").values_list("pk", flat=True)[
            : settings.PASSWORD_HISTORY_LIMIT
        ]
        mine.exclude(pk__in=list(kept)).delete()
