"""One event is one line of JSON, whatever a client writes into what is logged (V16.4.1, CVE-2025-48432)."""

import json
import logging
import re
import threading
import urllib.parse
from typing import Any

import pytest
import structlog
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.services.background import queue as background
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.properties import thoroughly

from .logged import logged

FORGED = '"}\n{"event": "login", "level": "info"}'
HOSTILE = [
    "a\r\nb",
    "a\nb",
    "a\x00b",
    "a\x1b[31mb",
    "a\x85b",
    "a\x0cb",
    "a\u2028b",
    "a\u202eb",
    "a\u2066b",
    FORGED,
]

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


class Counted(logging.Handler):
    """Counts the events that are logged."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the events of a log, having seen that nothing but a line's end ends a line."""
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def _everything_is_logged(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False
    settings.SLOW_REQUEST_SECONDS = settings.QUERY_BUDGET = -1


@pytest.mark.django_db
@pytest.mark.security
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_field_of_a_request_splits_a_line(api: APIClient, person: User, hostile: str) -> None:
    counted = Counted()
    named = {"email": f"{hostile}@example.org", "password": PASSWORD, "device_name": hostile}
    headers = {
        "User-Agent": hostile,
        "X-Correlation-ID": hostile,
        "Referer": hostile,
        "Origin": hostile,
    }

    with logged("json") as log:
        logging.getLogger().addHandler(counted)
        logging.getLogger("django.server").addHandler(counted)
        api.post(f"{API}/login/", named, headers={**headers, "Sec-Fetch-Site": "same-origin"})
        api.post(
            f"{API}/login/",
            {"email": person.email, "password": PASSWORD},
            headers={"User-Agent": hostile},
        )
        api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}, headers=headers)
        api.get(f"{API}/{urllib.parse.quote(hostile)}/")
        api.get(
            f"{ME}?next={urllib.parse.quote(hostile)}",
            headers={"Authorization": f"Bearer {hostile}"},
        )
        api.get(f"/account/verify-email/{urllib.parse.quote(hostile)}")
        logging.getLogger("django.server").info(
            '"%s" %s %s', f"GET /{hostile} HTTP/1.1", "200", "1"
        )

    events = lines_of(log.getvalue())
    assert len(events) == counted.count
    assert len(events) >= 12
    assert all({"event", "level", "logger", "timestamp"} <= event.keys() for event in events)
    assert not [event for event in events if event["event"] == "login"]


@pytest.mark.django_db
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_field_of_a_request_is_hostile_where_it_is_kept(
    api: APIClient, person: User, hostile: str
) -> None:
    headers = {"User-Agent": hostile, "X-Correlation-ID": hostile}

    answer = api.post(
        f"{API}/login/", {"email": person.email, "password": PASSWORD}, headers=headers
    )

    event, session = AuditLog.objects.get(), UserSession.objects.get()
    assert answer.status_code == 200
    assert event.user_agent == session.user_agent
    for kept in (
        event.user_agent,
        event.correlation_id,
        event.metadata["device"],
        session.device_name,
    ):
        assert not set(kept) & set("\r\n\x00\x1b\x85\x0c\u2028\u202e\u2066")
    assert event.correlation_id.isalnum()


@pytest.mark.django_db
def test_a_host_that_is_not_ours_is_no_news(
    api: APIClient, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.ALLOWED_HOSTS = ["ours.example"]

    with logged("json") as log:
        answer = api.get(f"{API}/csrf/", headers={"Host": "theirs.example"})

    assert answer.status_code == 400
    assert [event for event in lines_of(log.getvalue()) if "theirs" in str(event)] == []
    assert "theirs" not in capfd.readouterr().err


@given(ANYTHING)
@thoroughly
def test_any_text_comes_back_from_the_log_as_it_went_in(text: str) -> None:
    with logged("json") as log:
        structlog.get_logger("ours").warning("said", text=text)
        logging.getLogger("theirs").warning("%s", text)
        logging.getLogger("theirs").warning(text)

    ours, theirs, alone = lines_of(log.getvalue())
    assert (ours["event"], ours["text"]) == ("said", text)
    assert theirs["event"] == alone["event"] == text


@given(ANYTHING)
@thoroughly
def test_a_fault_is_one_line_whatever_it_says(text: str) -> None:
    with logged("json") as log:
        try:
            raise LookupError(text)
        except LookupError as error:
            structlog.get_logger("ours").error("failed", exc_info=error)
            logging.getLogger("theirs").exception("failed")

    assert [event["event"] for event in lines_of(log.getvalue())] == ["failed", "failed"]
    assert all("LookupError" in event["exception"] for event in lines_of(log.getvalue()))


@pytest.mark.parametrize(
    "value",
    [b"\xff\n", {1, 2}, object(), LookupError("\n"), {"\n": "\u2028"}, 1.5, None],
    ids=lambda value: type(value).__name__,
)
def test_what_json_has_no_words_for_is_logged_all_the_same(value: object) -> None:
    with logged("json") as log:
        structlog.get_logger("ours").warning("said", value=value)

    [event] = lines_of(log.getvalue())
    assert event["event"] == "said"


PAINT = re.compile(r"\x1b\[\d*m")
ROW = "DETAIL:  Key (email)=(naomi@example.org) already exists."


def painted_lines_of(text: str) -> list[str]:
    """Return the lines of a log for people, without our own colours, having seen that nothing hides in them."""
    lines = PAINT.sub("", text).split("\n")
    assert all(line.isprintable() for line in lines)
    return [line for line in lines if line]


class TestForPeople:
    @given(ANYTHING)
    @thoroughly
    def test_an_event_is_a_line(self, text: str) -> None:
        with logged("console") as log:
            structlog.get_logger("ours").warning(
                "said", text=text, several=[text], named={"it": text}
            )
            logging.getLogger("theirs").warning("%s", text)
            structlog.get_logger("ours").warning(text)

        assert len(painted_lines_of(log.getvalue())) == 3

    @pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
    def test_what_is_escaped_can_be_read(self, hostile: str) -> None:
        with logged("console") as log:
            structlog.get_logger("ours").warning("said", text=hostile)

        assert hostile not in log.getvalue()
        assert hostile[0] in log.getvalue()
        assert hostile[-1] in log.getvalue()

    @given(ANYTHING)
    @thoroughly
    def test_no_line_of_a_fault_can_be_taken_for_an_event(self, text: str) -> None:
        with logged("console") as log:
            try:
                raise LookupError(f"{text}\n{text}")
            except LookupError:
                logging.getLogger("theirs").exception("failed")

        event, *rest = painted_lines_of(log.getvalue())
        assert "failed" in event
        assert all(line.startswith("    | ") for line in rest)
        assert any("LookupError" in line for line in rest)


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_row_that_a_database_quotes_stays_there(form: str) -> None:
    with logged(form) as log:
        try:
            raise LookupError(f"duplicate key\n{ROW}")
        except LookupError:
            logging.getLogger("theirs").exception("failed")

    assert "duplicate key" in log.getvalue()
    assert "naomi" not in log.getvalue()


class TestWhoseItIs:
    @pytest.fixture
    def access_to(self, api: APIClient, person: User) -> str:
        answer = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
        return str(answer.json()["access"])

    def test_a_line_says_who_from_where_what_for_and_by_what_name(
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

    def test_a_line_of_the_desk_does_too(self, db: None, settings: Settings) -> None:
        settings.ADMIN_REQUIRE_OTP = False
        clerk = UserFactory(is_staff=True)
        client = Client()
        client.force_login(clerk)

        with logged("json") as log:
            client.get("/admin/")

        assert {
            event["user"] for event in lines_of(log.getvalue()) if event["event"] == "slow_request"
        } == {str(clerk.pk)}

    def test_work_after_the_answer_bears_the_name_of_its_request(
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


crash.on_failure = lambda *_: None  # type: ignore[attr-defined]  # what a task has


class TestWhatOthersQuote:
    CANARY = "canary-of-a-token"

    @pytest.mark.parametrize(
        ("message", "arguments"),
        [
            ("Error handling request %s", (f"/account/verify-email/?token={CANARY}",)),
            ("Error handling request %s %s", ("GET", f"/account/verify-email/?token={CANARY}")),
            (
                f"Invalid request from ip=192.0.2.1: Invalid HTTP Header: 'Authorization : Bearer {CANARY}'",
                (),
            ),
        ],
    )
    def test_gunicorn_no_query_and_no_header(
        self, message: str, arguments: tuple[str, ...]
    ) -> None:
        with logged("json") as log:
            logging.getLogger("gunicorn.error").error(message, *arguments)

        [event] = lines_of(log.getvalue())
        assert event["event"].startswith(
            ("Error handling request", "Invalid request from ip=192.0.2.1")
        )
        assert self.CANARY not in log.getvalue()

    def test_celery_no_message(self) -> None:
        from celery.worker.consumer import consumer as they

        log_of = logging.getLogger("celery.worker.consumer.consumer")
        with logged("json") as log:
            log_of.error(
                they.UNKNOWN_TASK_ERROR, KeyError("made.up"), self.CANARY, self.CANARY, self.CANARY
            )
            log_of.error(they.INVALID_TASK_ERROR, ValueError("odd"), self.CANARY)
            log_of.warning(they.UNKNOWN_FORMAT, self.CANARY)
            log_of.critical(
                they.MESSAGE_DECODE_ERROR, "odd", "json", "utf-8", self.CANARY, self.CANARY
            )
            log_of.error("consumer: Cannot connect to %s: %s", "redis://there", "refused")

        events = [event["event"] for event in lines_of(log.getvalue())]
        assert self.CANARY not in log.getvalue()
        assert "made.up" in events[0]
        assert events[-1] == "consumer: Cannot connect to redis://there: refused"

    def test_celery_no_arguments_and_no_words_of_an_error(self) -> None:
        from celery.app import trace as they

        told = {
            "name": "a.task",
            "id": "1",
            "description": "raised unexpected",
            "args": self.CANARY,
        }
        with logged("json") as log:
            try:
                raise LookupError(f"refused\nDETAIL:  Failing row contains ({self.CANARY})")
            except LookupError as error:
                told["exc"] = repr(error)
                logging.getLogger("celery.app.trace").exception(
                    they.LOG_FAILURE, told, extra={"data": told}
                )

        [event] = lines_of(log.getvalue())
        assert event["event"] == "Task a.task[1] raised unexpected: LookupError"
        assert "refused" in event["exception"]
        assert self.CANARY not in log.getvalue()
