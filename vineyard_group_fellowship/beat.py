"""Celery's scheduler: what it has never run is due at once, and it has a heartbeat."""

import datetime as dt
import os
import socket
from typing import Any

from celery.beat import PersistentScheduler

_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Celery's scheduler with a file, which may be lost at each start.

    Celery takes the start for the last run of an entry that its file does not know. With a new file
    every half hour, hourly tasks would never run. Each task does what is due by the database, so a
    run too many does no harm.
    """

    def merge_inplace(self, b: dict[str, dict[str, Any]]) -> None:
        """Take over the schedule; entries in the file keep the time of their last run."""
        never_run = {name: {**entry, "last_run_at": _LONG_AGO} for name, entry in b.items()}
        super().merge_inplace(never_run)

    def tick(self, *args: Any, **options: Any) -> Any:
        """Start what is due, and write the heartbeat that the health check reads."""
        from authentication.services.operations import write_heartbeat

        write_heartbeat(f"{socket.gethostname()}:{os.getpid()}", ["beat"])
        return super().tick(*args, **options)
