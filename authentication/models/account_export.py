"""Exports of personal data, encrypted in parts and kept for a day."""

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

LIFETIME = dt.timedelta(hours=24)
# Longer than the task may take: after it, the process that makes the export is taken for dead.
LEASE = dt.timedelta(minutes=20)
TRIES = 3


class AccountExportQuerySet(models.QuerySet["AccountExport"]):
    """Queries of exports. Each transition is one atomic UPDATE."""

    def unfinished(self, *, at: dt.datetime) -> Self:
        """Return the exports that nobody makes at the moment and that are not given up.

        Only columns of the row: PostgreSQL checks no others again after a wait for its lock.
        """
        free = Q(leased_until=None) | Q(leased_until__lte=at)
        return self.filter(free, ready_at=None, failed_at=None)

    def claim_build(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim an export to make it. Only one of several concurrent callers gets True."""
        free = self.unfinished(at=at).filter(pk=pk, tries__lt=TRIES)
        return bool(free.update(leased_until=at + LEASE, tries=F("tries") + 1))

    def give_up(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Give an export up after TRIES. Only one of several concurrent callers gets True."""
        return bool(self.unfinished(at=at).filter(pk=pk, tries__gte=TRIES).update(failed_at=at))

    def finish(self, pk: uuid.UUID, *, tries: int, parts: int, at: dt.datetime) -> bool:
        """Store that all parts are stored; False if a later try has replaced them."""
        mine = self.filter(pk=pk, tries=tries, ready_at=None)
        return bool(mine.update(parts=parts, ready_at=at))

    def ready(self, *, at: dt.datetime) -> Self:
        """Return the exports that can be downloaded: finished within the last 24 hours."""
        return self.filter(ready_at__gt=at - LIFETIME, downloaded_at=None)

    def claim_download(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim the only download. Only one of several concurrent callers gets True."""
        return bool(self.ready(at=at).filter(pk=pk).update(downloaded_at=at))


class AccountExport(models.Model):
    """One export: requested, then finished, then downloaded once or expired after 24 hours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    # Used by the version before alone; it goes with the next one.
    content = models.TextField(blank=True, default="", editable=False)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    failed_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    parts = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    downloaded_at = models.DateTimeField(null=True, blank=True)

    objects = AccountExportQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["user", "-requested_at"], name="export_user_newest"),
            models.Index(fields=["requested_at"], name="export_requested_at"),
        )

    def __str__(self) -> str:
        return f"export of {self.user_id}"


class ExportPart(models.Model):
    """A part of an export's compressed JSON, encrypted for its place."""

    export = models.ForeignKey(AccountExport, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    content = models.TextField(editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["export", "number"], name="export_part_unique"),
        )

    def __str__(self) -> str:
        return f"part {self.number} of export {self.export_id}"
