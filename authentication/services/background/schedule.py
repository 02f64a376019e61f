"""Runs the scheduled tasks in a thread when there is no broker."""

from threading import Event, Thread
from time import monotonic

from django.conf import settings

from .queue import run


def start_scheduler() -> None:
    """Run what is due of the schedule in a thread; where there is a broker, Celery's beat does."""
    if settings.EMAIL_SWEEP_SECONDS and not settings.CELERY_BROKER_URL:
        Thread(target=_run_schedule, name="scheduler", daemon=True).start()


def _run_schedule() -> None:
    started_at: dict[str, float] = {}
    # The sweep of the outbox is the most frequent entry.
    while not Event().wait(settings.EMAIL_SWEEP_SECONDS):
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
            now = monotonic()
            if now - started_at.get(name, float("-inf")) >= entry["schedule"]:
                started_at[name] = now
                run(entry["task"], *entry.get("args", ()))
