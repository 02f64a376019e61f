"""The logs of server and worker: every line is an event, and no line holds a secret."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

from . import rig
from .conftest import StartWorker

pytestmark = [pytest.mark.services, pytest.mark.security, pytest.mark.django_db(transaction=True)]

CANARY = "canary-of-a-token"


def events_of(log: Path) -> list[dict[str, Any]]:
    """Return the events of a process's log, having seen that every line is one."""
    return [json.loads(line) for line in log.read_text(encoding="ascii").splitlines()]


def counted(log: Path, words: str) -> int:
    return log.read_text(encoding="ascii").count(words)


class TestAWorker:
    def test_logs_have_the_correlation_id_and_no_arguments(
        self,
        api: APIClient,
        settings: Settings,
        through: Callable[[str], None],
        start_worker: StartWorker,
        tmp_path: Path,
        httpserver: HTTPServer,
    ) -> None:
        settings.HIBP_ENABLED = True
        through(str(settings.CACHES["default"]["LOCATION"]))
        start_worker(HIBP_ENABLED="True", HIBP_API_URL=httpserver.url_for("/range"))
        answer = api.post(f"{API}/register/", {"email": "naomi@example.org", "password": PASSWORD})
        Celery(broker=settings.CACHES["default"]["LOCATION"]).send_task(
            "made.up", (CANARY,), queue="upkeep"
        )

        log = tmp_path / "worker.log"
        rig.until(lambda: counted(log, "retry: ") >= 2, what="the look-up's second try")
        rig.until(lambda: OutgoingEmail.objects.filter(status="sent").exists(), what="the mail")
        rig.until(lambda: counted(log, "unregistered"), what="the unknown task")
        rig.until(lambda: counted(log, "succeeded in"), what="the end of the mail's task")

        events = events_of(log)
        name = answer.headers["X-Correlation-ID"]
        done = {event["action"] for event in events if event.get("correlation_id") == name}
        assert done == {"authentication.tasks.deliver_email", "authentication.tasks.check_breach"}
        assert [
            event for event in events if event.get("action") and event["correlation_id"] != name
        ] == []
        for secret in (CANARY, PASSWORD, "naomi", str(OutgoingEmail.objects.get().pk)):
            assert secret not in log.read_text(encoding="ascii")


class TestTheServer:
    def test_every_line_is_an_event_without_a_query_or_a_header(self, tmp_path: Path) -> None:
        log, port = tmp_path / "server.log", rig.free_port()
        with rig.process(*rig.SERVER, log=log, PORT=str(port), WEB_CONCURRENCY="1"):
            rig.until(lambda: counted(log, "Started worker-1"), what="the server")
            answer = rig.asked(
                port, "GET", f"/api/v1/auth/csrf/?token={CANARY}", headers={"User-Agent": CANARY}
            )
            # Granian itself refuses malformed requests, and logs none of them.
            said(port, f"GET /account/verify-email/?token={CANARY} HTTP/9\r\n\r\n")
            said(
                port,
                f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer {CANARY}\r\n\r\n",
            )
            said(
                port,
                f"GET /%0A%E2%80%A8%7B%7D?x={CANARY} HTTP/1.1\r\n"
                "Host: localhost\r\nConnection: close\r\n\r\n",
            )
            said(port, f"PUT! /?x={CANARY} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            rig.until(lambda: counted(log, "granian.access") == 3, what="lines")

        assert_access_events(log, "granian.access", answer)

    def test_every_line_of_gunicorn_is_an_event_too(self, tmp_path: Path) -> None:
        log, port = tmp_path / "server.log", rig.free_port()
        with rig.process(*rig.GUNICORN, log=log, PORT=str(port), WEB_CONCURRENCY="1"):
            rig.until(lambda: counted(log, "Booting worker"), what="the server")
            answer = rig.asked(
                port, "GET", f"/api/v1/auth/csrf/?token={CANARY}", headers={"User-Agent": CANARY}
            )
            said(port, f"GET /account/verify-email/?token={CANARY} HTTP/9\r\n\r\n")
            said(
                port,
                f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer {CANARY}\r\n\r\n",
            )
            said(
                port,
                f"GET /%0A%E2%80%A8{{}}?x={CANARY} HTTP/1.1\r\n"
                "Host: localhost\r\nConnection: close\r\n\r\n",
            )
            rig.until(
                lambda: (
                    counted(log, "Invalid request") == 2 and counted(log, "gunicorn.access") == 2
                ),
                what="lines",
            )

        assert_access_events(log, "gunicorn.access", answer)


def assert_access_events(log: Path, logger: str, answer: rig.Answer) -> None:
    events = events_of(log)
    requests = [event for event in events if event["logger"] == logger]
    [ours] = [event for event in requests if event.get("action") == "csrf"]
    assert ours["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert (ours["method"], ours["path"], ours["status"]) == ("GET", "/api/v1/auth/csrf/", 200)
    assert ours["address"] == "127.0.0.1"
    assert ours["bytes"] > 0
    assert ours["milliseconds"] > 0
    assert {event["address"] for event in requests} == {"127.0.0.1"}
    assert CANARY not in log.read_text(encoding="ascii")


def said(port: int, words: str) -> None:
    """Say something to a server, and listen until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(words.encode())
        while connection.recv(4096):
            pass
