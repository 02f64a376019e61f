"""Work that failed for good: kept where a person sees it and can have it done again."""

import datetime as dt
import uuid

from django.db import models
from django.utils import timezone


class FailedTaskQuerySet(models.QuerySet["FailedTask"]):
    """Dead letters, and the one statement that takes one up again."""

    def revive(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim a dead letter to send it again; of any number of callers one gets True."""
        return bool(self.filter(pk=pk, sent_again_at=None).update(sent_again_at=at))


class FailedTask(models.Model):
    """A task that no further try could save. No argument of a task is a secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.CharField(max_length=100)
    arguments = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=100)
    failed_at = models.DateTimeField(default=timezone.now)
    sent_again_at = models.DateTimeField(null=True, blank=True)

    objects = FailedTaskQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["-failed_at"], name="failed_task_newest"),)

    def __str__(self) -> str:
        return f"{self.task} ({self.error})"
