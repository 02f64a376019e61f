"""The server's processes: their metrics together, while they are replaced; their environment."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from authentication.models import User

from . import rig
from .callers import Serve

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_the_numbers_are_those_of_all_its_processes_together(serve: Serve, person: User) -> None:
    caller, server = serve(WEB_CONCURRENCY="3")
    for _ in range(12):
        assert caller.sign_in(person)[0] == 200

    text = caller.text("/metrics")

    assert 'auth_login_attempts_total{status="success"} 12.0' in text
    assert "auth_active_sessions_total 12.0" in text
    assert server.poll() is None


def test_processes_that_are_replaced_lose_no_count_and_leave_no_files(
    serve: Serve, tmp_path: Path, person: User
) -> None:
    counters = tmp_path / "not" / "there yet"
    caller, server = serve(PROMETHEUS_MULTIPROC_DIR=str(counters))

    for _ in range(20):
        rig.until(lambda: caller.answers("/csrf/"), what="an answer")
    server.send_signal(signal.SIGHUP)
    rig.until(
        lambda: logged(tmp_path, "Stopping worker-") == 4 and len(workers_of(server)) == 2,
        seconds=90,
        what="new processes",
    )
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
def test_shared_metrics_folder_keeps_foreign_files(
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


def test_processes_hash_on_large_pages(serve: Serve) -> None:
    _, server = serve()

    for pid in workers_of(server):
        assert b"GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in Path(f"/proc/{pid}/environ").read_bytes()


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
