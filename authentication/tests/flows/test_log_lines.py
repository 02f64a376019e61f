"""One event is one line of JSON, whatever a client writes into what is logged (V16.4.1, CVE-2025-48432)."""

import json
import logging
import urllib.parse
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.conftest import API, ME
from authentication.tests.factories import PASSWORD
from authentication.tests.properties import thoroughly

from .logged import logged

FORGED = '"}\n{"event": "login", "level": "info"}'
HOSTILE = ["a\r\nb", "a\nb", "a\x00b", "a\x1b[31mb", "a\x85b", "a\x0cb", "a\u2028b", "a\u202eb", "a\u2066b", FORGED]

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
    headers = {"User-Agent": hostile, "X-Correlation-ID": hostile, "Referer": hostile, "Origin": hostile}

    with logged("json") as log:
        logging.getLogger().addHandler(counted)
        logging.getLogger("django.server").addHandler(counted)
        api.post(f"{API}/login/", named, headers={**headers, "Sec-Fetch-Site": "same-origin"})
        api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}, headers={"User-Agent": hostile})
        api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}, headers=headers)
        api.get(f"{API}/{urllib.parse.quote(hostile)}/")
        api.get(f"{ME}?next={urllib.parse.quote(hostile)}", headers={"Authorization": f"Bearer {hostile}"})
        api.get(f"/account/verify-email/{urllib.parse.quote(hostile)}")
        logging.getLogger("django.server").info('"%s" %s %s', f"GET /{hostile} HTTP/1.1", "200", "1")

    events = lines_of(log.getvalue())
    assert len(events) == counted.count
    assert len(events) >= 12
    assert all({"event", "level", "logger", "timestamp"} <= event.keys() for event in events)
    assert not [event for event in events if event["event"] == "login"]


@pytest.mark.django_db
@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_field_of_a_request_is_hostile_where_it_is_kept(api: APIClient, person: User, hostile: str) -> None:
    headers = {"User-Agent": hostile, "X-Correlation-ID": hostile}

    answer = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}, headers=headers)

    event, session = AuditLog.objects.get(), UserSession.objects.get()
    assert answer.status_code == 200
    assert event.user_agent == session.user_agent
    for kept in (event.user_agent, event.correlation_id, event.metadata["device"], session.device_name):
        assert not set(kept) & set("\r\n\x00\x1b\x85\x0c\u2028\u202e\u2066")
    assert event.correlation_id.isalnum()


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
