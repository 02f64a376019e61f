"""Helpers that start processes and faulty servers."""

import contextlib
import dataclasses
import http.client
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.datastructures import CaseInsensitiveMapping

ROOT = Path(settings.BASE_DIR)
SERVER = ("python", "serve.py")
GUNICORN = ("gunicorn", "vineyard_group_fellowship.wsgi:application")
HEALTH, LIVE = "/api/v1/auth/health/", "/api/v1/auth/health/live/"
Headers = Mapping[str, str]
LOST = (OSError, http.client.HTTPException)
"""What asking raises when there is no server, or none any more."""


def until(
    condition: Callable[[], Any], *, seconds: float = 20, pause: float = 0.05, what: str = "it"
) -> Any:
    """Wait for something to come true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause)
    raise AssertionError(f"Waited {seconds} s in vain for {what}.")


def database_url(port: int | None = None) -> str:
    """Return the address of the test's own database, on another port if need be."""
    at = connection.settings_dict
    password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
    address = f"{at['HOST'] or '127.0.0.1'}:{port or at['PORT'] or 5432}"
    return f"postgres://{at['USER']}{password}@{address}/{at['NAME']}"


def environment(**changed: str) -> dict[str, str]:
    """Return the environment of a process: the test's database and Redis, and cheap hashes."""
    redis = str(settings.CACHES["default"]["LOCATION"])
    told = {
        "PATH": os.environ["PATH"],
        "DJANGO_ENVIRONMENT": "development",
        "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings",
        "DEBUG": "False",
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis,
        "HIBP_ENABLED": "False",
        "RATELIMIT_ENABLE": "False",
        "ARGON2_MEMORY_KIB": "19456",
        "LOG_FORMAT": "json",
    }
    return {**told, **changed}


@contextlib.contextmanager
def process(
    *command: str, log: Path, files: str = "20000", **changed: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Lend a process; it and its children have ended when the context has.

    The command is a module, or `python` with a script. It may open so many `files` at most.
    """
    python = command[1:] if command[0] == "python" else ("-m", *command)
    limited = ("sh", "-c", 'ulimit -n "$0" && exec "$@"', files)
    with log.open("ab") as written:
        started = subprocess.Popen(  # noqa: S603 -- our own command
            [*limited, sys.executable, *python],
            cwd=ROOT,
            # A killed process leaves the files of its counters behind.
            env=environment(**{"PROMETHEUS_MULTIPROC_DIR": str(log.parent), **changed}),
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def kill(victim: subprocess.Popen[bytes]) -> None:
    """End a process and its children without a warning."""
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()


class MailServer:
    """An SMTP server that keeps its mails; while `hangs` is set it accepts and never answers.

    `refusal` is the reply to each recipient while it is set, such as "550 5.1.1 unknown".
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.hangs = False
        self.refusal = ""
        self.connections = 0
        self.mails: list[str] = []
        self._silent: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Stop, and close the connections that wait for an answer."""
        self._listener.close()
        for waiting in self._silent:
            waiting.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.connections += 1
                if self.hangs:
                    self._silent.append(caller)
                else:
                    threading.Thread(target=self._converse, args=(caller,), daemon=True).start()

    def _converse(self, caller: socket.socket) -> None:
        # A worker that is stopped resets its connection.
        with contextlib.suppress(ConnectionError), caller, caller.makefile("rwb") as lines:

            def say(line: str) -> None:
                lines.write(f"{line}\r\n".encode())
                lines.flush()

            say("220 here")
            while line := lines.readline().decode("utf-8", "replace").strip():
                if line.upper() == "DATA":
                    say("354 go on")
                    self.mails.append(self._text(lines))
                if self.refusal and line.upper().startswith("RCPT"):
                    say(self.refusal)
                else:
                    say("221 bye" if line.upper() == "QUIT" else "250 ok")

    @staticmethod
    def _text(lines: Any) -> str:
        text = []
        while (line := lines.readline().decode("utf-8", "replace").rstrip("\r\n")) != ".":
            text.append(line)
        return "\n".join(text)


class Wire:
    """A TCP proxy in front of a server, which can be slow, be cut, be silent, and be mended."""

    def __init__(self, port: int, *, delay: float = 0) -> None:
        self._to, self._delay = port, delay
        self._pairs: list[socket.socket] = []
        self._forgotten: set[socket.socket] = set()
        self._used_at: dict[socket.socket, float] = {}
        # Who comes in before a change of state ends with it, and who comes after it does not.
        self._door = threading.Lock()
        self._state = "whole"
        self._flows = threading.Event()
        self._flows.set()
        self.senders: list[int] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and end those that are."""
        self._turn("cut")

    def silence(self) -> None:
        """Accept whatever comes, and never answer it."""
        self._turn("silent")

    def freeze(self) -> None:
        """Keep every connection, and let nothing through."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let through what was held up."""
        self._flows.set()

    def forget(self, *, idle: float = 0) -> None:
        """Drop the connections that were idle for so many seconds, as a load balancer does.

        Neither side learns of it until it sends something, which is answered by a reset.
        """
        with self._door:
            last = time.monotonic() - idle
            self._forgotten.update(it for it in self._pairs if self._used_at.get(it, 0) <= last)

    def mend(self) -> None:
        """Let everything through again."""
        self._turn("whole")

    def close(self) -> None:
        """Be gone."""
        self._listener.close()
        self._flows.set()
        self._turn("cut")

    def _turn(self, state: str) -> None:
        with self._door:
            pairs, self._pairs, self._state = self._pairs, [], state
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _listen(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with self._door:
                    self._admit(caller)

    def _admit(self, caller: socket.socket) -> None:
        if self._state == "cut":
            caller.close()
            return
        self._pairs.append(caller)
        if self._state == "whole":
            server = socket.create_connection(("127.0.0.1", self._to))
            self._pairs.append(server)
            for source, sink in ((caller, server), (server, caller)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                if source in self._forgotten:
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    source.close()
                    return
                self._used_at[source] = self._used_at[sink] = time.monotonic()
                time.sleep(self._delay)
                self._flows.wait()
                self.senders.append(source.fileno())
                sink.sendall(chunk)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def free_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a server says to a request."""

    status: int
    content: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.content or b"{}")


def asked(
    port: int,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: Headers = MappingProxyType({}),
) -> Answer:
    """Send a request on a new connection; raises one of LOST if no server answers."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(asking):
        content = None if body is None else json.dumps(body)
        asking.request(method, path, content, {"Content-Type": "application/json", **headers})
        answer = asking.getresponse()
        return Answer(answer.status, answer.read(), CaseInsensitiveMapping(answer.getheaders()))


def is_up(port: int, path: str = LIVE, headers: Headers = MappingProxyType({})) -> bool:
    """Return whether a request is answered: a process may end while one waits at its door."""
    with contextlib.suppress(*LOST):
        return asked(port, "GET", path, headers=headers).status == HTTPStatus.OK
    return False
