"""Building block: tasks that failed for good, kept and sent again."""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from authentication.models import FailedTask

from .queue import enqueue


def bury(task: str, arguments: Sequence[str], *, error: BaseException) -> None:
    """Keep a task that no further try could save; of the error its class, since its words may quote a person."""
    FailedTask.objects.create(
        task=task, arguments=list(arguments), error=type(error).__name__[:100]
    )


def send_again(task_id: uuid.UUID) -> bool:
    """Start a dead task anew; False if that has been done."""
    with transaction.atomic():
        revived = FailedTask.objects.revive(task_id, at=timezone.now())
        if revived:
            dead = FailedTask.objects.get(pk=task_id)
            enqueue(dead.task, *dead.arguments)
    return revived
