"""The server as it runs in production: at SIGTERM, and without its database."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from authentication.models import User
from authentication.tests.factories import PASSWORD

from . import rig

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

AUTH = "/api/v1/auth"


Answered = tuple[int, Any, Mapping[str, str]]


class Caller:
    """Sends requests to a server on a port of this machine, each on a new connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answered:
        answer = rig.asked(self._port, method, f"{AUTH}{path}", body)
        return answer.status, answer.json(), answer.headers

    def text(self, path: str) -> str:
        return rig.asked(self._port, "GET", path).content.decode()

    def answers(self, path: str) -> bool:
        return rig.is_up(self._port, f"{AUTH}{path}")

    def is_up(self) -> bool:
        return rig.is_up(self._port)

    def sign_in(self, person: User) -> Answered:
        return self.ask("POST", "/login/", {"email": person.email, "password": PASSWORD})


Serve = Callable[..., tuple[Caller, "subprocess.Popen[bytes]"]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts the server, and returns when it answers."""
    with contextlib.ExitStack() as running:

        def start(*command: str, **changed: str) -> tuple[Caller, subprocess.Popen[bytes]]:
            port = rig.free_port()
            told = {"PORT": str(port), "WEB_CONCURRENCY": "2", "WEB_THREADS": "4", **changed}
            server = running.enter_context(
                rig.process(*(command or rig.SERVER), log=tmp_path / "server.log", **told)
            )
            caller = Caller(port)
            rig.until(caller.is_up, seconds=40, what="the server")
            return caller, server

        yield start


def test_requests_under_way_at_sigterm_are_answered(serve: Serve, person: User) -> None:
    # Slow hashes: all four are still being computed when the signal comes.
    caller, server = serve(
        ARGON2_MEMORY_KIB="32768", ARGON2_TIME_COST="16", WEB_CONCURRENCY="1", WEB_THREADS="4"
    )
    answers: list[tuple[float, int]] = []

    def sign_in() -> None:
        status = caller.sign_in(person)[0]
        answers.append((time.monotonic(), status))

    crowd = [threading.Thread(target=sign_in) for _ in range(4)]
    for one in crowd:
        one.start()
    time.sleep(0.2)
    server.send_signal(signal.SIGTERM)
    stopped_at = time.monotonic()
    for one in crowd:
        one.join(20)

    assert [status for _, status in answers] == [200] * 4
    assert min(at for at, _ in answers) > stopped_at
    assert server.wait(20) == 0
    with pytest.raises(ConnectionRefusedError):
        caller.sign_in(person)


@pytest.mark.parametrize("pool", ["0", "4"])
@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_without_its_database_it_says_so_lives_and_comes_back_by_itself(
    serve: Serve, person: User, fault: str, pool: str
) -> None:
    wire = rig.Wire(5432)
    caller, _ = serve(DATABASE_URL=rig.database_url(wire.port), DB_POOL_SIZE=pool)
    assert caller.sign_in(person)[0] == 200
    getattr(wire, fault)()

    start = time.monotonic()
    status, problem, headers = caller.sign_in(person)
    waited = time.monotonic() - start
    health = caller.ask("GET", "/health/")
    live = caller.ask("GET", "/health/live/")
    wire.mend()

    assert (status, problem["code"]) == (503, "service_unavailable")
    assert int(headers["Retry-After"]) > 0
    assert waited < 10
    assert (health[0], health[1]["status"]) == (503, "unhealthy")
    assert live[0] == 200
    rig.until(lambda: caller.sign_in(person)[0] == 200, seconds=15, what="the service to come back")
    assert caller.ask("GET", "/health/")[0] == 200
    wire.close()


@pytest.mark.parametrize("pool", ["0", "4"])
def test_a_database_that_hangs_on_open_connections_costs_each_request_a_bounded_time(
    serve: Serve, person: User, pool: str
) -> None:
    wire = rig.Wire(5432)
    told = {
        "DATABASE_URL": rig.database_url(wire.port),
        "DB_POOL_SIZE": pool,
        "DB_STATEMENT_TIMEOUT_MS": "2000",
    }
    caller, _ = serve(**told, WEB_CONCURRENCY="1")
    assert {caller.sign_in(person)[0] for _ in range(4)} == {200}

    wire.freeze()
    start = time.monotonic()
    answers: list[Answered] = []
    crowd = [
        threading.Thread(target=lambda: answers.append(caller.sign_in(person))) for _ in range(4)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(20)
    waited = time.monotonic() - start
    live = caller.ask("GET", "/health/live/")[0]
    wire.thaw()

    assert [status for status, *_ in answers] == [503] * 4
    assert all(int(headers["Retry-After"]) > 0 for *_, headers in answers)
    assert waited < 15
    assert live == 200
    rig.until(lambda: caller.sign_in(person)[0] == 200, seconds=15, what="the service to come back")
    wire.close()


@pytest.mark.parametrize(("pool", "lost"), [("0", 0), ("4", 1)])
def test_a_restart_of_the_database_between_requests_costs_a_pool_one_and_else_none(
    serve: Serve, person: User, pool: str, lost: int
) -> None:
    caller, _ = serve(DB_POOL_SIZE=pool, WEB_CONCURRENCY="1")
    # At once, so that more than one thread has a connection.
    with ThreadPoolExecutor(4) as crowd:
        assert {status for status, *_ in crowd.map(lambda _: caller.sign_in(person), range(4))} == {
            200
        }

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 2
    start = time.monotonic()

    answers = Counter(caller.sign_in(person)[0] for _ in range(6))

    assert answers[200] == 6 - answers[503]
    assert answers[503] <= lost
    assert time.monotonic() - start < 4


def test_the_numbers_are_those_of_all_its_processes_together(serve: Serve, person: User) -> None:
    caller, server = serve(WEB_CONCURRENCY="3")
    for _ in range(12):
        assert caller.sign_in(person)[0] == 200

    text = caller.text("/metrics")

    assert 'auth_login_attempts_total{status="success"} 12.0' in text
    assert "auth_active_sessions_total 12.0" in text
    assert server.poll() is None


@pytest.mark.parametrize("pool", ["0", "4"])
def test_a_database_that_hangs_costs_a_scrape_a_bounded_time_and_its_gauges_alone(
    serve: Serve, person: User, pool: str
) -> None:
    wire = rig.Wire(5432)
    caller, _ = serve(
        DATABASE_URL=rig.database_url(wire.port), DB_POOL_SIZE=pool, WEB_CONCURRENCY="1"
    )
    assert caller.sign_in(person)[0] == 200
    assert "auth_active_sessions_total 1.0" in caller.text("/metrics")

    wire.freeze()
    texts, waited = [], []
    for _ in range(5):
        start = time.monotonic()
        texts.append(caller.text("/metrics"))
        waited.append(time.monotonic() - start)
    live = caller.ask("GET", "/health/live/")[0]
    wire.thaw()

    # 3 s for the answer on an open connection, then 3 s for a new connection.
    assert max(waited) < 8
    assert live == 200
    assert all('auth_login_attempts_total{status="success"} 1.0' in text for text in texts)
    assert not any("auth_active_sessions_total" in text for text in texts)
    rig.until(
        lambda: "auth_active_sessions_total 1.0" in caller.text("/metrics"),
        pause=1,
        what="the numbers again",
    )
    wire.close()


def test_processes_that_are_replaced_lose_no_count_and_leave_no_files(
    serve: Serve, tmp_path: Path, person: User
) -> None:
    counters = tmp_path / "not" / "there yet"
    caller, server = serve(PROMETHEUS_MULTIPROC_DIR=str(counters))

    for _ in range(20):
        rig.until(lambda: caller.answers("/csrf/"), what="an answer")
    server.send_signal(signal.SIGHUP)
    rig.until(lambda: logged(tmp_path, "Stopped worker") == 2, seconds=60, what="new processes")
    for _ in range(20):
        rig.until(lambda: caller.answers("/csrf/"), what="an answer")
    os.kill(workers_of(server)[0], signal.SIGKILL)
    rig.until(lambda: logged(tmp_path, "Started worker-") >= 10, seconds=60, what="another")

    sample = 'http_request_duration_seconds_count{endpoint="csrf",method="GET",status="2xx"} 40.0'
    assert sample in rig.until(lambda: caller.text("/metrics"), what="the numbers")
    (own,) = counters.iterdir()
    # While one is replaced there are three processes.
    assert {file.name for file in own.iterdir()} <= {
        f"{kind}_{number}.{ending}"
        for kind, ending in (("counter", "db"), ("histogram", "db"), ("process", "lock"))
        for number in range(3)
    }


def test_processes_of_gunicorn_that_are_replaced_lose_no_count_and_leave_no_files(
    serve: Serve, tmp_path: Path, person: User
) -> None:
    counters = tmp_path / "not" / "there yet"
    hasty = "--max-requests 5 --max-requests-jitter 0"
    caller, server = serve(
        *rig.GUNICORN, GUNICORN_CMD_ARGS=hasty, PROMETHEUS_MULTIPROC_DIR=str(counters)
    )

    for _ in range(40):
        rig.until(lambda: caller.answers("/csrf/"), what="an answer")
    children = pids_below(server.pid)
    os.kill(children[0], signal.SIGKILL)
    rig.until(
        lambda: children[0] not in pids_below(server.pid) and caller.is_up(),
        what="another in its place",
    )

    sample = 'http_request_duration_seconds_count{endpoint="csrf",method="GET",status="2xx"} 40.0'
    assert sample in rig.until(lambda: caller.text("/metrics"), what="the numbers")
    (own,) = counters.iterdir()
    assert {file.name for file in own.iterdir()} <= {
        f"{kind}_{number}.db" for kind in ("counter", "histogram") for number in range(2)
    }


@pytest.mark.parametrize("command", [rig.SERVER, rig.GUNICORN], ids=["granian", "gunicorn"])
def test_a_folder_shared_with_others_keeps_what_is_theirs(
    serve: Serve, tmp_path: Path, person: User, command: tuple[str, ...]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "counter_7.db").write_text("another service's", encoding="utf-8")
    caller, server = serve(*command, PROMETHEUS_MULTIPROC_DIR=str(shared))
    assert caller.sign_in(person)[0] == 200

    assert 'auth_login_attempts_total{status="success"} 1.0' in caller.text("/metrics")
    server.send_signal(signal.SIGHUP)
    rig.until(
        lambda: caller.is_up() and len(list(shared.iterdir())) == 2,
        what="the server to have read its file anew",
    )
    server.send_signal(signal.SIGTERM)

    assert server.wait(20) == 0
    assert [file.name for file in shared.iterdir()] == ["counter_7.db"]


def logged(folder: Path, words: str) -> int:
    return (folder / "server.log").read_text(encoding="utf-8").count(words)


def workers_of(server: "subprocess.Popen[bytes]") -> list[int]:
    """Return the processes that answer requests; another one tracks resources for them."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids_below(server.pid)}
    return [pid for pid, command in commands.items() if b"spawn_main" in command]


def pids_below(pid: int) -> list[int]:
    return [
        int(it)
        for it in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ]
