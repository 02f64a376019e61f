"""Devices that have signed in to an account before (OWASP's device cookies; docs/lockout.md)."""

import uuid
from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from .login_attempts import LoginAttemptsQuerySet


class KnownDeviceQuerySet(LoginAttemptsQuerySet):
    """Known devices, found by their account and the hash of their secret."""

    def digest_of(self, user_id: uuid.UUID, digests: Collection[str]) -> str:
        """Return the first of these hashes that names a device of the account; empty if none."""
        known = self.filter(user_id=user_id, digest__in=digests) if digests else self.none()
        return known.values_list("digest", flat=True).first() or ""

    def forget(self, user_id: uuid.UUID, *, but: str = "") -> None:
        """Make every device of an account unknown, except the one with the hash `but`."""
        self.filter(user_id=user_id).exclude(digest=but).delete()


class KnownDevice(models.Model):
    """A device's secret, hashed under the account's id, and the passwords that failed on it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now)
    failed_login_attempts = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = KnownDeviceQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["last_used_at"], name="known_device_last_used"),)
        constraints = (
            models.UniqueConstraint(fields=["user", "digest"], name="known_device_unique"),
        )

    def __str__(self) -> str:
        return f"known device of {self.user_id}"
