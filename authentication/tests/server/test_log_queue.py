"""The log handler that never waits."""

import logging
import os
import threading
import time

import pytest

from authentication.utils.metrics import LOG_LINES_DROPPED
from vineyard_group_fellowship.log_queue import QueuedHandler

LONG = "x" * 1000
PIPE_LINES = 65
"""Lines of this length that a pipe takes before it blocks."""


class Pipe:
    """A logger whose lines go into a pipe, which is read when the test wants it."""

    def __init__(self, lines: int) -> None:
        self.source, self._sink = os.pipe()
        self.handler = QueuedHandler(descriptor=self._sink, lines=lines)
        self.logger = logging.Logger("own")  # noqa: LOG001 -- known to nobody else
        self.logger.addHandler(self.handler)

    def read(self) -> list[str]:
        """Close the handler, and return all lines."""
        found: list[bytes] = []

        def collect() -> None:
            while chunk := os.read(self.source, 65_536):
                found.append(chunk)

        reader = threading.Thread(target=collect)
        reader.start()
        self.handler.close()
        os.close(self._sink)
        reader.join(5)
        os.close(self.source)
        return b"".join(found).decode().splitlines()


def count() -> float:
    return float(LOG_LINES_DROPPED._value.get())


def test_lines_are_written_in_order_and_none_is_lost_at_the_end() -> None:
    pipe = Pipe(1000)
    for number in range(500):
        pipe.logger.warning("line %d", number)

    assert pipe.read() == [f"line {number}" for number in range(500)]


def test_a_pipe_that_nobody_reads_costs_lines_and_no_time() -> None:
    pipe, before = Pipe(100), count()
    pipe.logger.warning(LONG)
    # The thread that writes has begun.
    pipe.handler.flush()

    start = time.monotonic()
    for _ in range(999):
        pipe.logger.warning(LONG)
    seconds = time.monotonic() - start
    lost = count() - before

    assert seconds < 1
    assert 1000 - 100 - PIPE_LINES - 1 <= lost < 1000 - 100
    # What was queued comes when somebody reads.
    assert len(pipe.read()) >= 1000 - lost


def test_the_log_says_how_many_lines_are_missing(caplog: pytest.LogCaptureFixture) -> None:
    pipe, before = Pipe(10), count()
    for _ in range(200):
        pipe.logger.warning(LONG)
    lost = int(count() - before)

    pipe.read()

    assert f"log_lines_dropped: {lost}" in caplog.messages


def test_a_reader_that_is_gone_is_no_error() -> None:
    pipe, before = Pipe(100), count()
    os.close(pipe.source)

    for _ in range(5):
        pipe.logger.warning("line")
    pipe.handler.flush()

    assert count() - before == 5


@pytest.mark.slow
def test_a_full_pipe_delays_the_end_by_two_seconds_at_most() -> None:
    pipe = Pipe(100)
    for _ in range(100):
        pipe.logger.warning(LONG)

    start = time.monotonic()
    pipe.handler.close()

    assert 1.5 < time.monotonic() - start < 4


# Python warns of forks beside threads, as Celery's are.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_writes_too() -> None:
    pipe = Pipe(100)
    pipe.logger.warning("parent")
    pipe.handler.flush()
    child = os.fork()
    if child == 0:
        pipe.logger.warning("child")
        pipe.handler.flush()
        os._exit(0)
    os.waitpid(child, 0)

    assert pipe.read() == ["parent", "child"]
