"""A database that refuses writes for a while, as in a failover, under a running server."""

import contextlib
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from django.db import connection

from authentication.models import User
from authentication.tests.factories import PASSWORD

from . import rig
from .callers import Serve

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

KEPT = "?target_session_attrs=any"
"""With it a server that refuses writes is connected to, as by a proxy that finds out late."""


def set_read_only(*, on: bool) -> None:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    value = (
        "SET default_transaction_read_only = on" if on else "RESET default_transaction_read_only"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} {value}")


def end_other_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


class Page:
    """A form that a browser has open."""

    def __init__(self, port: int, path: str) -> None:
        self._url = f"http://127.0.0.1:{port}{path}"
        self._browser = build_opener(HTTPCookieProcessor())
        with self._browser.open(self._url) as page:
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert found, "The page has no form."
        self._token = found.group(1)

    def submit(self, form: dict[str, str]) -> tuple[int, Message, str]:
        sent = urlencode({**form, "csrfmiddlewaretoken": self._token}).encode()
        try:
            with self._browser.open(self._url, sent) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.headers, refusal.read().decode()


@pytest.fixture
def fail_over() -> Iterator[Callable[[], None]]:
    """Return a function after which new connections refuse writes, and old ones have ended."""

    def demote() -> None:
        set_read_only(on=True)
        end_other_connections()

    yield demote
    with contextlib.suppress(Exception):
        set_read_only(on=False)


@pytest.mark.parametrize("pool", ["0", "4"])
@pytest.mark.parametrize("attributes", ["", KEPT], ids=["refused", "connected"])
def test_writes_are_a_503_and_the_service_recovers_by_itself(
    serve: Serve, person: User, fail_over: Callable[[], None], attributes: str, pool: str
) -> None:
    told = {"DATABASE_URL": rig.database_url() + attributes, "DB_POOL_SIZE": pool}
    caller, _ = serve(**told, WEB_CONCURRENCY="1", WEB_THREADS="4")

    def sign_in(_: int = 0) -> int:
        return caller.sign_in(person)[0]

    with ThreadPoolExecutor(4) as crowd:
        assert set(crowd.map(sign_in, range(8))) == {200}
        fail_over()
        # Each thread has a connection that refuses writes.
        during = Counter(crowd.map(sign_in, range(8)))
        status, problem, headers = caller.sign_in(person)
        health = caller.ask("GET", "/health/")
        live = caller.ask("GET", "/health/live/")[0]
        set_read_only(on=False)
        start = time.monotonic()
        rig.until(lambda: sign_in() == 200, seconds=15, what="the service to come back")
        waited = time.monotonic() - start
        after = Counter(crowd.map(sign_in, range(16)))

    assert during == {503: 8}
    assert (status, problem["code"]) == (503, "service_unavailable")
    assert int(headers["Retry-After"]) > 0
    assert (health[0], health[1]["status"]) == (503, "unhealthy")
    assert live == 200
    assert waited < 8
    assert after == {200: 16}


def test_a_kept_connection_that_refuses_writes_costs_one_request_of_a_process(
    serve: Serve, person: User, fail_over: Callable[[], None]
) -> None:
    told = {"DATABASE_URL": rig.database_url() + KEPT}
    caller, _ = serve(**told, WEB_CONCURRENCY="1", WEB_THREADS="4")
    bearer = {"Authorization": f"Bearer {caller.sign_in(person)[1]['access']}"}

    def read(_: int) -> int:
        path = "/api/v1/auth/sessions/"
        return rig.asked(caller.port, "GET", path, headers=bearer).status

    # The first use of a token is written.
    assert read(0) == 200
    fail_over()
    with ThreadPoolExecutor(8) as crowd:
        assert set(crowd.map(read, range(40))) == {200}
    set_read_only(on=False)
    answers = Counter(caller.sign_in(person)[0] for _ in range(12))

    assert answers == {503: 1, 200: 11}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/forgot-password/", {"email": "someone@example.org"}),
        (f"/account/verify-email/?token={'x' * 43}", {"token": "x" * 43}),
        ("/admin/login/", {"username": "someone", "password": PASSWORD}),
    ],
)
@pytest.mark.parametrize("attributes", ["", KEPT], ids=["refused", "connected"])
def test_pages_answer_in_words(
    serve: Serve,
    fail_over: Callable[[], None],
    attributes: str,
    path: str,
    form: dict[str, str],
) -> None:
    caller, _ = serve(DATABASE_URL=rig.database_url() + attributes, WEB_CONCURRENCY="1")
    page = Page(caller.port, path)
    fail_over()

    status, headers, text = page.submit(form)

    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "try again in a moment" in text
