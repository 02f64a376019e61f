"""Dead letters: tasks that failed after all retries, kept so that staff can run them again."""

import datetime as dt
import uuid

from django.db import models
from django.utils import timezone


class FailedTaskQuerySet(models.QuerySet["FailedTask"]):
    """Queries of failed tasks."""

    def revive(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Claim a task to run it again. Only one of several concurrent callers gets True."""
        return bool(self.filter(pk=pk, sent_again_at=None).update(sent_again_at=at))


class FailedTask(models.Model):
    """A task that failed after all retries. Task arguments never contain secrets."""

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
