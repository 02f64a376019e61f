"""HTTP load in a closed loop: each client waits for a response before its next request."""

import contextlib
import dataclasses
import http.client
import os
import re
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import redis

from .servers import Server

_QUERIES = re.compile(r'desc="(\d+) quer')
_TIMEOUT_SECONDS = 30
_OWN_COMMANDS = 2


class UnexpectedResponseError(Exception):
    """A response was not a success, which invalidates the measurement."""


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A successful response, its seconds, and its number of database queries if reported."""

    body: bytes
    seconds: float
    queries: int | None


Script = Generator[Call, Answer, None]
"""A generator that yields requests and receives the response to each."""


class Client:
    """A client that follows a script over several rounds."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._call = next(script)

    def follow(self, seconds: float, server: Server) -> list[Answer]:
        """Follow the script for some seconds and return the responses."""
        answers: list[Answer] = []
        with contextlib.closing(connect(server)) as connection:
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                answers.append(send(connection, self._call))
                self._call = self._script.send(answers[-1])
        return answers


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """The measurements of one round, in seconds."""

    answers: list[Answer]
    duration: float
    cpu: float | None
    commands: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """An operation to measure, with its clients."""

    name: str
    server: Server
    clients: list[Client]

    def run(self, seconds: float) -> Round:
        """Run all clients concurrently for some seconds and return the measurements."""
        commands_before = commands_of_redis()
        cpu_before, began = self.server.cpu_seconds(), time.perf_counter()
        with ThreadPoolExecutor(len(self.clients)) as pool:
            lists = list(pool.map(lambda client: client.follow(seconds, self.server), self.clients))
        duration, cpu_after = time.perf_counter() - began, self.server.cpu_seconds()
        return Round(
            answers=[answer for answers in lists for answer in answers],
            duration=duration,
            cpu=None if cpu_before is None or cpu_after is None else cpu_after - cpu_before,
            commands=_commands_since(commands_before),
        )


def commands_of_redis() -> int | None:
    """Return how many commands the Redis of REDIS_URL has run; None without one.

    Those of other users of the server count too.
    """
    url = os.environ.get("REDIS_URL")
    if not url:
        return None
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        return int(client.info("stats")["total_commands_processed"])


def _commands_since(before: int | None) -> int | None:
    now = commands_of_redis()
    # Opening the connection, and asking.
    return None if before is None or now is None else now - before - _OWN_COMMANDS


def connect(server: Server) -> http.client.HTTPConnection:
    """Return a new connection to a server."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
    connection.connect()
    return connection


def send(connection: http.client.HTTPConnection, call: Call) -> Answer:
    """Send a request and return the response.

    Raises UnexpectedResponseError for any status but 200.
    """
    began = time.perf_counter()
    connection.request(call.method, call.path, call.body, dict(call.headers))
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - began
    if response.status != HTTPStatus.OK:
        raise UnexpectedResponseError(
            f"{call.method} {call.path} returned {response.status}: {body[:300]!r}"
        )
    queries = _QUERIES.search(response.getheader("Server-Timing", ""))
    return Answer(body, seconds, int(queries[1]) if queries else None)
