"""Checking passwords against known breaches: failures and retries."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from authentication import tasks
from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.clients import NEW_PASSWORD, Tokens
from authentication.tests.factories import UserFactory
from authentication.utils import pwned
from authentication.utils.pwned import Unavailable, breached_suffixes

from .breach_ranges import (
    NOISE,
    Queued,
    catch_timers,
    change_password,
    range_with_password,
    serve_range,
    sha1,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("range_api")]


LONGEST_SECONDS = 6.0


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that starts a server with this behaviour and returns its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve_by(behaviour: Callable[[socket.socket], None]) -> str:
        def accept() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    behaviour(connection)
            except OSError:
                return

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/range"

    yield serve_by
    listener.close()
    for thread in threads:
        thread.join(timeout=0.1)


def stay_silent(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.recv(4096)


def hang_up(connection: socket.socket) -> None:
    connection.recv(4096)


def stop_in_the_middle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + NOISE[:500].encode())
    connection.recv(4096)
    connection.recv(4096)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n")
    for character in NOISE[:30]:
        connection.sendall(character.encode())
        time.sleep(0.1)


def send_no_http(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x00\xff" * 100)


def assert_unavailable_soon(limit: float = LONGEST_SECONDS) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        breached_suffixes(sha1(NEW_PASSWORD)[:5])
    assert time.monotonic() - started < limit


class TestUnavailableService:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        "behaviour",
        [stay_silent, hang_up, stop_in_the_middle, send_no_http],
        ids=lambda it: it.__name__,
    )
    def test_a_faulty_connection_is_given_up_soon(
        self, raw_server: Callable[..., str], settings: Settings, behaviour: Any
    ) -> None:
        settings.HIBP_API_URL = raw_server(behaviour)

        assert_unavailable_soon()

    @pytest.mark.slow
    def test_a_slow_answer_is_given_up_although_each_byte_is_in_time(
        self, raw_server: Callable[..., str], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pwned, "_WHOLE_SECONDS", 0.5)
        settings.HIBP_API_URL = raw_server(drip)

        assert_unavailable_soon(limit=2.0)

    def test_a_refused_connection_is_given_up_soon(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            settings.HIBP_API_URL = f"http://127.0.0.1:{closed.getsockname()[1]}/range"

        assert_unavailable_soon()

    def test_an_answer_other_than_200_is_refused(self, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/elsewhere").respond_with_data(range_with_password())
        statuses = (204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 502, 503)
        headers = {"Location": httpserver.url_for("/elsewhere")}
        path = f"/range/{sha1(NEW_PASSWORD)[:5]}"

        for status in statuses:
            httpserver.expect_oneshot_request(path).respond_with_data(
                range_with_password(), status=status, headers=headers
            )
            assert_unavailable_soon()

        assert [(it.path, answer.status_code) for it, answer in httpserver.log] == [
            (path, status) for status in statuses
        ]

    def test_a_malformed_body_is_refused(self, httpserver: HTTPServer) -> None:
        bodies = (
            "",
            "\r\n",
            "<html>maintenance</html>",
            '{"error": "x"}',
            "\x00" * 500,
            "00D4:1",
            "caf\u00e9",
            "x" * 99,
        )
        path = f"/range/{sha1(NEW_PASSWORD)[:5]}"

        for body in bodies:
            httpserver.expect_oneshot_request(path).respond_with_data(body)
            assert_unavailable_soon()

        assert [answer.status_code for _, answer in httpserver.log] == [200] * len(bodies)

    def test_an_endless_body_is_refused(self, httpserver: HTTPServer) -> None:
        serve_range(httpserver, NOISE * 50)

        assert_unavailable_soon()

    @pytest.mark.parametrize("status", [500, 302])
    def test_the_password_change_succeeds_and_flags_no_account(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        monkeypatch: pytest.MonkeyPatch,
        *,
        status: int,
    ) -> None:
        serve_range(httpserver, range_with_password(), status=status)
        timers = catch_timers(monkeypatch)

        change_password(api, signed_in)
        background.run(*queued[0])

        person.refresh_from_db()
        assert person.password_breached_at is None
        assert [pause for pause, *_ in timers] == [2]


class TestRetries:
    def test_six_retries_follow_after_growing_pauses(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serve_range(httpserver, "", status=503)
        timers = catch_timers(monkeypatch)
        arguments = (
            str(UserFactory().pk),
            "2026-11-22T12:00:00+00:00",
            sha1(NEW_PASSWORD)[:5],
            "salt",
            "mac",
        )

        background.run("authentication.tasks.check_breach", *arguments)
        for _, run_again, given, options in timers:
            run_again(*given, **options)

        assert [pause for pause, *_ in timers] == [2, 4, 8, 16, 32, 60]
        assert {given[1:] for _, _, given, _ in timers} == {
            ("authentication.tasks.check_breach", *arguments)
        }
        assert len(httpserver.log) == 7

    def test_a_successful_retry_is_the_last(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = f"/range/{sha1(NEW_PASSWORD)[:5]}"
        httpserver.expect_ordered_request(path).respond_with_data("", status=503)
        httpserver.expect_ordered_request(path).respond_with_data(range_with_password())
        timers = catch_timers(monkeypatch)
        change_password(api, signed_in)

        background.run(*queued[0])
        [(_, run_again, given, options)] = timers
        run_again(*given, **options)

        person.refresh_from_db()
        assert person.password_breached_at is not None
        assert len(timers) == 1

    def test_an_unexpected_exception_is_logged_without_secrets_and_not_retried(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(**_: str) -> None:
            raise RuntimeError

        timers = catch_timers(monkeypatch)
        monkeypatch.setattr(tasks, "check", fail)

        background.run(
            "authentication.tasks.check_breach", "id", "time", "00000", "the-salt", "the-mac"
        )

        assert timers == []
        assert "background_task_failed" in caplog.text
        assert not any(secret in caplog.text for secret in ("the-salt", "the-mac"))

    def test_celery_follows_the_same_policy(self) -> None:
        policy: Any = tasks.check_breach

        assert policy.autoretry_for == (Unavailable,)
        assert (policy.retry_backoff, policy.retry_backoff_max, policy.max_retries) == (2, 60, 6)
