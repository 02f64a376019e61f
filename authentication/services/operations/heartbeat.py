"""The heartbeats of the processes beside the web, in the cache.

Asking every worker by Celery's own `ping` takes a second, too long for a health check.
"""

import contextlib
import time
from collections.abc import Iterable

from django.core.cache import caches

from authentication.utils.faults import FAULTS

from .key_order import announce_keys

MISSING_AFTER_SECONDS = 120
JOBS = {"mailer": ("mail",), "worker": ("checks", "upkeep"), "beat": ("beat",)}
"""What each process does: the queues that it takes tasks from, or the schedule."""

_INTERVAL_SECONDS = 10

_written_at: dict[str, float] = {}


def write_heartbeat(process: str, jobs: Iterable[str]) -> None:
    """Note that a process does its jobs, at most every ten seconds; without the cache, do nothing.

    `process` names it among those that do the same.
    """
    now = time.time()
    if now - _written_at.get(process, 0) < _INTERVAL_SECONDS:
        return
    _written_at[process] = now
    keys = [key_of(job) for job in jobs]
    with contextlib.suppress(*FAULTS):
        found = caches["default"].get_many(keys)
        # Another process may write at the same moment. What is lost then is written again soon.
        beats = {key: {**_recent(found.get(key), now), process: now} for key in keys}
        caches["default"].set_many(beats, MISSING_AFTER_SECONDS)
        announce_keys()


def count_processes() -> dict[str, int]:
    """Return how many mailers, workers and beats had a heartbeat in the last two minutes.

    Raises one of FAULTS.
    """
    keys = {job: key_of(job) for jobs in JOBS.values() for job in jobs}
    found, now = caches["default"].get_many(keys.values()), time.time()
    counts = {job: len(_recent(found.get(key), now)) for job, key in keys.items()}
    # A worker may take tasks from one of its queues alone.
    return {name: min(counts[job] for job in jobs) for name, jobs in JOBS.items()}


def key_of(job: str) -> str:
    """Return the key of the heartbeats of those who do a job."""
    return f"heartbeat:{job}"


def _recent(beats: dict[str, float] | None, now: float) -> dict[str, float]:
    return {
        process: at for process, at in (beats or {}).items() if now - at < MISSING_AFTER_SECONDS
    }
