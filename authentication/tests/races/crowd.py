"""Many callers at one moment."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection, connections
from rest_framework.test import APIClient

Result = TypeVar("Result")

_PATIENCE_SECONDS = 20


def all_at_once(*acts: Callable[[], Result]) -> list[Result]:
    """Call each function in its own thread, all at one moment; return the results in order."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Result]) -> Result:
        try:
            # Connecting takes longer than most of what is raced for.
            connection.ensure_connection()
            barrier.wait(_PATIENCE_SECONDS)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts), thread_name_prefix="crowd") as pool:
        return list(pool.map(run, acts))


def posts(count: int, url: str, body: Callable[[int], dict[str, Any]], **headers: str) -> list[Any]:
    """Return the answers to so many requests at once; `body` makes each from its number."""

    def post(number: int) -> Callable[[], Any]:
        return lambda: APIClient().post(url, body(number), headers=headers)

    return all_at_once(*(post(number) for number in range(count)))


def statuses(answers: list[Any]) -> dict[int, int]:
    """Return how many answers had which status."""
    codes = [answer.status_code for answer in answers]
    return {code: codes.count(code) for code in sorted(set(codes))}
