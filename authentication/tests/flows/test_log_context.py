"""The request that a line belongs to, and what libraries may not log."""

import logging
import threading

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.clients import log_in
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import UserFactory

from .logged import lines_of, logged

pytestmark = pytest.mark.usefixtures("every_request_is_logged")


class TestContext:
    @pytest.fixture
    def access_to(self, api: APIClient, person: User) -> str:
        return str(log_in(api, person).json()["access"])

    def test_a_line_holds_user_address_action_and_correlation_id(
        self, api: APIClient, person: User, access_to: str
    ) -> None:
        with logged("json") as log:
            answer = api.get(ME, headers=bearer(access_to), REMOTE_ADDR="198.51.100.7")

        slow = [event for event in lines_of(log.getvalue()) if event["event"] == "slow_request"]
        facts = {name: slow[0][name] for name in ("user", "address", "action", "correlation_id")}
        assert facts == {
            "user": str(person.pk),
            "address": "198.51.100.7",
            "action": "own-profile",
            "correlation_id": answer.headers["X-Correlation-ID"],
        }

    def test_a_line_of_the_admin_holds_its_user(self, db: None, settings: Settings) -> None:
        settings.ADMIN_REQUIRE_OTP = False
        staff = UserFactory(is_staff=True)
        client = Client()
        client.force_login(staff)

        with logged("json") as log:
            client.get("/admin/")

        assert {
            event["user"] for event in lines_of(log.getvalue()) if event["event"] == "slow_request"
        } == {str(staff.pk)}

    def test_a_background_task_logs_the_correlation_id_of_its_request(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transaction, "on_commit", lambda function: function())
        monkeypatch.setattr(background, "import_string", lambda _: crash)
        with logged("json") as log:
            answer = api.post(f"{API}/password/reset/", {"email": person.email})
            for waiting in [
                background._pool.submit(threading.Event().wait, 0.01)
                for _ in range(background._THREADS)
            ]:
                waiting.result()

        [failed] = [
            event
            for event in lines_of(log.getvalue())
            if event["event"] == "background_task_failed"
        ]
        assert failed["correlation_id"] == answer.headers["X-Correlation-ID"]
        assert failed["action"] == failed["task"] == "authentication.tasks.deliver_email"


def crash(*_: object) -> None:
    raise LookupError


crash.on_failure = lambda *_: None  # type: ignore[attr-defined]


class TestLibraries:
    CANARY = "canary-of-a-token"

    @pytest.mark.parametrize(
        ("message", "arguments"),
        [
            ("Error handling request %s", (f"/account/verify-email/?token={CANARY}",)),
            ("Error handling request %s %s", ("GET", f"/account/verify-email/?token={CANARY}")),
            (
                "Invalid request from ip=192.0.2.1: Invalid HTTP Header: "
                f"'Authorization : Bearer {CANARY}'",
                (),
            ),
        ],
    )
    def test_lines_of_gunicorn_hold_no_query_and_no_header(
        self, message: str, arguments: tuple[str, ...]
    ) -> None:
        with logged("json") as log:
            logging.getLogger("gunicorn.error").error(message, *arguments)

        [event] = lines_of(log.getvalue())
        assert event["event"].startswith(
            ("Error handling request", "Invalid request from ip=192.0.2.1")
        )
        assert self.CANARY not in log.getvalue()

    def test_lines_of_celery_hold_no_message(self) -> None:
        from celery.worker.consumer import consumer as celery_logs

        log_of = logging.getLogger("celery.worker.consumer.consumer")
        with logged("json") as log:
            log_of.error(
                celery_logs.UNKNOWN_TASK_ERROR,
                KeyError("made.up"),
                self.CANARY,
                self.CANARY,
                self.CANARY,
            )
            log_of.error(celery_logs.INVALID_TASK_ERROR, ValueError("odd"), self.CANARY)
            log_of.warning(celery_logs.UNKNOWN_FORMAT, self.CANARY)
            log_of.critical(
                celery_logs.MESSAGE_DECODE_ERROR, "odd", "json", "utf-8", self.CANARY, self.CANARY
            )
            log_of.error("consumer: Cannot connect to %s: %s", "redis://there", "refused")

        events = [event["event"] for event in lines_of(log.getvalue())]
        assert self.CANARY not in log.getvalue()
        assert "made.up" in events[0]
        assert events[-1] == "consumer: Cannot connect to redis://there: refused"

    def test_lines_of_celery_hold_no_arguments_and_no_error_text(self) -> None:
        from celery.app import trace as celery_logs

        failure = {
            "name": "a.task",
            "id": "1",
            "description": "raised unexpected",
            "args": self.CANARY,
        }
        with logged("json") as log:
            try:
                raise LookupError(f"refused\nDETAIL:  Failing row contains ({self.CANARY})")
            except LookupError as error:
                failure["exc"] = repr(error)
                logging.getLogger("celery.app.trace").exception(
                    celery_logs.LOG_FAILURE, failure, extra={"data": failure}
                )

        [event] = lines_of(log.getvalue())
        assert event["event"] == "Task a.task[1] raised unexpected: LookupError"
        assert "refused" in event["exception"]
        assert self.CANARY not in log.getvalue()
