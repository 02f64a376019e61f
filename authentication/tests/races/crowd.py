"""Helpers that send requests at the same moment."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import OperationalError, connection, connections
from rest_framework.test import APIClient

Result = TypeVar("Result")

_PATIENCE_SECONDS = 20


def all_at_once(*acts: Callable[[], Result]) -> list[Result]:
    """Call each function in its own thread, all at one moment; return the results in order."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Result]) -> Result:
        try:
            _connect()
            barrier.wait(2 * _PATIENCE_SECONDS)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts), thread_name_prefix="crowd") as pool:
        return list(pool.map(run, acts))


def _connect() -> None:
    """Connect before the race, because connecting takes longer than most of what is raced for.

    PostgreSQL may refuse while another test process has many connections.
    """
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def posts(count: int, url: str, body: Callable[[int], dict[str, Any]], **headers: str) -> list[Any]:
    """Return the answers to so many requests at once; `body` makes each from its number."""

    def post(number: int) -> Callable[[], Any]:
        return lambda: APIClient().post(url, body(number), headers=headers)

    return all_at_once(*(post(number) for number in range(count)))


def statuses(answers: list[Any]) -> dict[int, int]:
    """Return how many answers had which status."""
    codes = [answer.status_code for answer in answers]
    return {code: codes.count(code) for code in sorted(set(codes))}
