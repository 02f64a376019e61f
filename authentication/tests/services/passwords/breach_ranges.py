"""A server in place of Have I Been Pwned, and the tasks that ask it."""

import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from authentication import tasks
from authentication.tests.clients import NEW_PASSWORD, Tokens, post_as
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

NOISE = "".join(f"{n:035X}:{n + 1}\r\n" for n in range(800))
Queued = list[tuple[str, ...]]
Timer = tuple[float, Callable[..., None], tuple[str, ...], dict[str, int]]


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def serve_range(httpserver: HTTPServer, body: str, **answer: Any) -> None:
    httpserver.expect_request(f"/range/{sha1(NEW_PASSWORD)[:5]}").respond_with_data(body, **answer)


def range_with_password(count: int = 3) -> str:
    return f"{NOISE}{sha1(NEW_PASSWORD)[5:]}:{count}\r\n{NOISE}"


def change_password(api: APIClient, tokens: Tokens) -> Any:
    """Change the password to NEW_PASSWORD; return the answer."""
    passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = post_as(api, tokens, f"{API}/password/change/", passwords)
    assert answer.status_code == 200, answer.content
    return answer


def run_queued(queued: Queued) -> None:
    """Run the queued tasks."""
    for task, *arguments in queued:
        assert task == "authentication.tasks.check_breach"
        tasks.check_breach(*arguments)


def catch_timers(monkeypatch: pytest.MonkeyPatch) -> list[Timer]:
    """Collect the timers instead of starting them; keep the test's database connection open."""
    caught: list[Timer] = []

    class CaughtTimer:
        daemon = False

        def __init__(self, *given: Any) -> None:
            caught.append(given)

        def start(self) -> None:
            assert self.daemon

    monkeypatch.setattr(threading, "Timer", CaughtTimer)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caught
