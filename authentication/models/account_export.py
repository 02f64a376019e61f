"""Exports of personal data, encrypted and kept for a day."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

LIFETIME = dt.timedelta(hours=24)


class AccountExportQuerySet(models.QuerySet["AccountExport"]):
    """Queries of exports. Each transition is one atomic UPDATE."""

    def unfinished(self, *, at: dt.datetime) -> Self:
        """Return the exports that are not finished and not too old."""
        return self.filter(ready_at=None, requested_at__gt=at - LIFETIME)

    def ready(self, *, at: dt.datetime) -> Self:
        """Return the exports that can be downloaded: finished within the last 24 hours."""
        return self.filter(ready_at__gt=at - LIFETIME, downloaded_at=None)

    def finish(self, pk: uuid.UUID, *, content: str, at: dt.datetime) -> bool:
        """Store the encrypted content. Only one of several concurrent callers gets True."""
        return bool(self.filter(pk=pk, ready_at=None).update(content=content, ready_at=at))

    def claim_download(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim the only download and delete the content.

        Only one of several concurrent callers gets True.
        """
        return bool(self.ready(at=at).filter(pk=pk).update(content="", downloaded_at=at))


class AccountExport(models.Model):
    """One export: requested, then finished, then downloaded once or expired after 24 hours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content = models.TextField(blank=True, default="", editable=False)  # encrypted
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    ready_at = models.DateTimeField(null=True, blank=True)
    downloaded_at = models.DateTimeField(null=True, blank=True)

    objects = AccountExportQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "-requested_at"], name="export_user_newest"),
            models.Index(fields=["requested_at"], name="export_requested_at"),
        )

    def __str__(self) -> str:
        return f"export of {self.user_id}"
