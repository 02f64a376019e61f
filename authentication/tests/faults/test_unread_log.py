"""A server whose log is a pipe that nobody reads."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from . import rig

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

REQUESTS = 1000
GUNICORN = ["-m", "gunicorn", "vineyard_group_fellowship.wsgi:application"]


@contextlib.contextmanager
def unread(command: list[str], folder: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Lend a server, on a port, whose output nobody reads."""
    port = rig.free_port()
    told = {"PORT": str(port), "WEB_CONCURRENCY": "1", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    server = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, *command],
        cwd=rig.ROOT,
        env=rig.environment(**told),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        rig.until(lambda: rig.is_up(port), seconds=40, what="the server")
        yield port, server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        assert server.stdout
        server.stdout.close()


@pytest.mark.parametrize("command", [["serve.py"], GUNICORN], ids=["granian", "gunicorn"])
def test_every_request_is_answered_and_the_lines_come_when_somebody_reads(
    command: list[str], tmp_path: Path
) -> None:
    text: list[bytes] = []
    with unread(command, tmp_path) as (port, server):

        def ask(_: int) -> int:
            return rig.asked(port, "GET", rig.LIVE).status

        start = time.monotonic()
        with ThreadPoolExecutor(4) as crowd:
            answers = list(crowd.map(ask, range(REQUESTS)))
        waited = time.monotonic() - start
        health = rig.asked(port, "GET", rig.HEALTH).status

        reader = threading.Thread(target=lambda: text.append(server.stdout.read()))  # type: ignore[union-attr]
        reader.start()
        server.send_signal(signal.SIGTERM)
        reader.join(40)

    assert set(answers) == {200}
    assert health == 200
    assert waited < 60
    assert b"".join(text).count(b'"event": "request"') >= REQUESTS
