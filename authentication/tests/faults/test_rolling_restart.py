"""Processes are replaced, and servers too, without a request that fails."""

import collections
import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from authentication.models import User
from authentication.tests.factories import PASSWORD

from . import rig

pytestmark = [pytest.mark.services, pytest.mark.alone, pytest.mark.django_db(transaction=True)]

REQUESTS, CLIENTS = 1000, 8
Tally = collections.Counter[object]
CSRF = "/api/v1/auth/csrf/"


def ask_until(done: threading.Event, port: Callable[[], int], tally: Tally) -> None:
    """Send requests, each on a new connection, until enough were sent and the event is set."""
    while not done.is_set() or sum(tally.values()) < REQUESTS:
        try:
            tally[rig.asked(port(), "GET", CSRF).status] += 1
        except rig.LOST as lost:
            tally[repr(lost)] += 1


@contextlib.contextmanager
def requests(port: Callable[[], int]) -> Iterator[Tally]:
    """Send requests while the context runs."""
    done, tally = threading.Event(), Tally()
    crowd = [threading.Thread(target=ask_until, args=(done, port, tally)) for _ in range(CLIENTS)]
    for one in crowd:
        one.start()
    try:
        yield tally
    finally:
        done.set()
        for one in crowd:
            one.join(60)


def logged(log: Path, words: str) -> int:
    return log.read_text(encoding="utf-8").count(words)


def start(
    running: contextlib.ExitStack, log: Path, port: int, **changed: str
) -> "subprocess.Popen[bytes]":
    told = {"PORT": str(port), "WEB_CONCURRENCY": "2", "WEB_THREADS": "4", **changed}
    server = running.enter_context(rig.process(*rig.SERVER, log=log, **told))
    rig.until(lambda: rig.is_up(port), seconds=40, what="the server")
    return server


def test_processes_are_replaced_without_a_failed_request(tmp_path: Path) -> None:
    log, port = tmp_path / "log", rig.free_port()
    with contextlib.ExitStack() as running:
        server = start(running, log, port)
        with requests(lambda: port) as tally:
            server.send_signal(signal.SIGHUP)
            rig.until(
                lambda: (
                    logged(log, "Stopping worker-1 runtime")
                    and logged(log, "Stopping worker-2 runtime")
                ),
                seconds=90,
                what="both processes to be replaced",
            )

    assert set(tally) == {200}
    assert tally[200] >= REQUESTS


def test_a_server_replaces_another_without_a_failed_request(tmp_path: Path) -> None:
    ports = [rig.free_port(), rig.free_port()]
    current = ports[0]
    with contextlib.ExitStack() as running:
        old = start(running, tmp_path / "old", ports[0])
        with requests(lambda: current) as tally:
            start(running, tmp_path / "new", ports[1])
            # The proxy sends new requests to the new server, waits, and stops the old one.
            current = ports[1]
            time.sleep(0.5)
            old.terminate()
            assert old.wait(40) == 0

    assert set(tally) == {200}
    assert tally[200] >= REQUESTS


def test_each_thread_has_one_connection_to_the_database_at_most(
    tmp_path: Path, person: User
) -> None:
    body = {"email": person.email, "password": PASSWORD}
    log, port = tmp_path / "log", rig.free_port()
    with contextlib.ExitStack() as running:
        start(running, log, port, WEB_CONCURRENCY="2", WEB_THREADS="3")
        crowd = [
            threading.Thread(
                target=lambda: [
                    rig.asked(port, "POST", "/api/v1/auth/login/", body) for _ in range(5)
                ]
            )
            for _ in range(20)
        ]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join(60)
        with psycopg.connect(rig.database_url()) as database:
            found = database.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            ).fetchone()

    # The threads, and the test's own connection. Mails are sent by threads of their own, which
    # close theirs.
    assert found is not None
    assert found[0] <= 2 * 3 + 1
