"""Tasks after the answer: Celery where a broker answers, threads where none does."""

from .failed_tasks import bury, send_again
from .queue import enqueue, start_sweeper

__all__ = [
    "bury",
    "enqueue",
    "send_again",
    "start_sweeper",
]
