"""The part of a Celery worker that takes tasks from the broker."""

import time
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.state import maybe_shutdown

_LONGEST_PAUSE_SECONDS = 8
_STEP_SECONDS = 0.2
# Failures that are further apart have different causes.
_CALM_SECONDS = 60


class Consumer(CeleryConsumer):  # type: ignore[misc]  # celery has no types
    """Celery's consumer, which pauses longer and longer while the broker fails.

    Celery tries six times a second when Redis answers and refuses, and each try writes lines.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._pause, self._failed_at = 0, 0.0
        super().__init__(*arguments, **options)

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        super().on_connection_error_before_connected(exc)
        self._wait()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        super().on_connection_error_after_connected(exc)
        self._wait()

    def _wait(self) -> None:
        """Pause for one, two, four, then eight seconds; a signal to stop ends the pause."""
        now = time.monotonic()
        is_first = now - self._failed_at > _CALM_SECONDS
        self._pause = 1 if is_first else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._failed_at = deadline = now + self._pause
        while time.monotonic() < deadline:
            maybe_shutdown()
            time.sleep(_STEP_SECONDS)
