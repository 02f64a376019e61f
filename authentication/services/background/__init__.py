"""Runs tasks after the answer: by Celery if a broker answers, or in threads."""

from .failed_tasks import record_failed_task, run_again
from .queue import enqueue, waiting_beside
from .schedule import start_scheduler

__all__ = [
    "enqueue",
    "record_failed_task",
    "run_again",
    "start_scheduler",
    "waiting_beside",
]
