"""A log handler that never waits: lines that nobody takes are dropped and counted."""

import contextlib
import logging
import os
import queue
import select
import threading
import time
import weakref

# About 4 MB of ordinary lines.
_LINES = 10_000
_FLUSH_SECONDS = 2.0
# Celery puts a stream that logs in the place of `sys.stderr`.
_STANDARD_ERROR = 2

logger = logging.getLogger(__name__)
_handlers: "weakref.WeakSet[QueuedHandler]" = weakref.WeakSet()


class QueuedHandler(logging.Handler):
    """Hands lines to a thread that writes them to standard error.

    A pipe that is full blocks its writer. Written by the request's thread, the log would stop every
    request as soon as its reader hangs.
    """

    def __init__(self, *, descriptor: int = _STANDARD_ERROR, lines: int = _LINES) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines = lines
        self.dropped = 0
        """Lines since the last one that was written."""
        self.start_anew()
        _handlers.add(self)

    def start_anew(self) -> None:
        """Begin with an empty queue and no thread: a thread does not survive a fork."""
        self._queue: queue.Queue[bytes | None] = queue.Queue(self._lines)
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Format a record here, where its context is, and queue the line."""
        try:
            line = f"{self.format(record)}\n".encode(errors="backslashreplace")
        except Exception:  # noqa: BLE001 -- as in every handler of the standard library
            self.handleError(record)
            return
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._write_all, args=(self._queue,), name="log", daemon=True
            )
            self._thread.start()
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._drop()

    def flush(self) -> None:
        """Wait until the lines are written, for two seconds at most."""
        deadline = time.monotonic() + _FLUSH_SECONDS
        while self._queue.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        self.flush()
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        super().close()

    def _write_all(self, lines: "queue.Queue[bytes | None]") -> None:
        while (line := lines.get()) is not None:
            try:
                _write(self._descriptor, line)
            except OSError:
                self._drop()
            else:
                self._report_dropped()
            finally:
                lines.task_done()
        lines.task_done()

    def _drop(self) -> None:
        # Not at the top: metrics must not be defined before a process has its number.
        from authentication.utils.metrics import LOG_LINES_DROPPED

        self.dropped += 1
        LOG_LINES_DROPPED.inc()

    def _report_dropped(self) -> None:
        if dropped := self.dropped:
            self.dropped = 0
            logger.warning("log_lines_dropped: %d", dropped)


def _write(descriptor: int, line: bytes) -> None:
    while line:
        try:
            line = line[os.write(descriptor, line) :]
        except BlockingIOError:
            # Another process may have made the pipe non-blocking, for all who share it.
            select.select([], [descriptor], [])


def _start_anew_in_child() -> None:
    for handler in _handlers:
        handler.start_anew()


os.register_at_fork(after_in_child=_start_anew_in_child)
