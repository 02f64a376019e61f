"""A closed loop: each client sends its next request when the last one is answered, on one connection."""

import contextlib
import dataclasses
import http.client
import re
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from .servers import Server

_QUERIES = re.compile(r'desc="(\d+) quer')
_TIMEOUT_SECONDS = 30


class WrongAnswerError(Exception):
    """An answer that is no success: what was measured means nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A success, the seconds it took, and the number of queries it says it made."""

    body: bytes
    seconds: float
    queries: int | None


Script = Generator[Call, Answer, None]
"""What a client asks for, one call after the other; it is sent each answer."""


class Client:
    """One who follows a script, over as many rounds as there are."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._call = next(script)

    def ask_for(self, seconds: float, server: Server) -> list[Answer]:
        """Follow the script for so long; return the answers."""
        answers: list[Answer] = []
        with contextlib.closing(connected(server)) as connection:
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                answers.append(ask(connection, self._call))
                self._call = self._script.send(answers[-1])
        return answers


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """What one round measured; times are in seconds."""

    answers: list[Answer]
    duration: float
    cpu: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """Something to measure, with its clients."""

    name: str
    server: Server
    clients: list[Client]

    def run(self, seconds: float) -> Round:
        """Let all clients ask at once for so long, and return what that took."""
        cpu_before, began = self.server.cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(len(self.clients)) as pool:
            lists = list(
                pool.map(lambda client: client.ask_for(seconds, self.server), self.clients)
            )
        duration, cpu_after = time.perf_counter() - began, self.server.cpu_seconds()
        return Round(
            answers=[answer for answers in lists for answer in answers],
            duration=duration,
            cpu=None if cpu_before is None or cpu_after is None else cpu_after - cpu_before,
        )


def connected(server: Server) -> http.client.HTTPConnection:
    """Return a new connection to a server."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
    connection.connect()
    return connection


def ask(connection: http.client.HTTPConnection, call: Call) -> Answer:
    """Send a call and wait for its answer; raises WrongAnswerError for any status but 200."""
    began = time.perf_counter()
    connection.request(call.method, call.path, call.body, dict(call.headers))
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - began
    if response.status != HTTPStatus.OK:
        raise WrongAnswerError(
            f"{call.method} {call.path} was answered {response.status}: {body[:300]!r}"
        )
    queries = _QUERIES.search(response.getheader("Server-Timing", ""))
    return Answer(body, seconds, int(queries[1]) if queries else None)
