"""Gunicorn servers for the benchmark, and the CPU time of their workers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROC = Path("/proc")
THREADS = 4

_FLAGS = (
    "--workers=1",
    f"--threads={THREADS}",
    "--keep-alive=30",
    "--graceful-timeout=2",
    "--no-control-socket",
)
_START_SECONDS = 30
# Fields of /proc/<pid>/stat (proc_pid_stat(5)), counted from the one after the command's name.
_PARENT, _USER_TICKS, _SYSTEM_TICKS = 1, 11, 12


class ServerFailedError(Exception):
    """A server did not start, or the script that prepares its data failed."""


class Server:
    """A running gunicorn with one worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.port = port
        self._workers = _children_of(process.pid)

    def cpu_seconds(self) -> float | None:
        """Return the CPU time of its workers so far, or None on a system without /proc."""
        if not self._workers:
            return None
        ticks = (
            int(_stat(pid)[_USER_TICKS]) + int(_stat(pid)[_SYSTEM_TICKS]) for pid in self._workers
        )
        return sum(ticks) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def run_server(
    application: str, environment: Mapping[str, str], directory: Path
) -> Iterator[Server]:
    """Run a WSGI application until the context ends."""
    port, log = _free_port(), directory / f"{application.partition('.')[0]}.log"
    command = (
        sys.executable,
        "-m",
        "gunicorn",
        *_FLAGS,
        f"--bind=127.0.0.1:{port}",
        f"--log-file={log}",
        application,
    )
    # The working directory has no gunicorn.conf.py. In a new session the server does not receive
    # Ctrl-C, so that this process ends it.
    process = subprocess.Popen(  # noqa: S603 -- fixed arguments
        command,
        env=environment,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_until_ready(process, port, log)
        yield Server(process, port)
    finally:
        _stop(process)


def prepare_database(module: str, count: int, environment: Mapping[str, str]) -> str:
    """Run a module that prepares a database, and return its output.

    Raises ServerFailedError if it fails.
    """
    command = (sys.executable, "-m", module, str(count))
    done = subprocess.run(  # noqa: S603 -- fixed arguments
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerFailedError(f"{module} failed:\n{done.stderr}")
    return done.stdout


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=1) as connection,
        ):
            # The master listens before its worker can answer.
            connection.settimeout(_START_SECONDS)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            if connection.recv(1):
                return
        time.sleep(0.1)
    raise ServerFailedError(
        f"A server did not start:\n{log.read_text(encoding='utf-8') if log.exists() else ''}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _children_of(parent: int) -> list[int]:
    if not PROC.joinpath("self", "stat").exists():
        return []
    return [
        int(entry.name)
        for entry in PROC.iterdir()
        if entry.name.isdigit() and _is_child(entry.name, parent)
    ]


def _is_child(pid: str, parent: int) -> bool:
    with contextlib.suppress(OSError):
        return int(_stat(pid)[_PARENT]) == parent
    return False


def _stat(pid: str | int) -> list[str]:
    # The name of the command is in brackets and may itself contain blanks and brackets.
    return PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
