"""Tasks that failed for good are recorded and can be run again."""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from authentication.models import FailedTask

from .queue import enqueue


def record_failed_task(task: str, arguments: Sequence[str], *, error: BaseException) -> None:
    """Record a task that failed for good.

    Only the error's class is kept: its message may quote personal data.
    """
    FailedTask.objects.create(
        task=task, arguments=list(arguments), error=type(error).__name__[:100]
    )


def run_again(task_id: uuid.UUID) -> bool:
    """Start a failed task again; False if that was done before."""
    with transaction.atomic():
        claimed = FailedTask.objects.revive(task_id, at=timezone.now())
        if claimed:
            failed = FailedTask.objects.get(pk=task_id)
            enqueue(failed.task, *failed.arguments)
    return claimed
