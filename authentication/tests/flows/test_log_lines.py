"""One event is one line of JSON, with any text that a client sends."""

import logging
import urllib.parse

import pytest
import structlog
from hypothesis import given
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User, UserSession
from authentication.tests.conftest import API, ME
from authentication.tests.factories import PASSWORD
from authentication.tests.properties import thoroughly

from .logged import ANYTHING, HOSTILE, Counted, lines_of, logged

pytestmark = pytest.mark.usefixtures("every_request_is_logged")


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
        credentials = {"email": person.email, "password": PASSWORD}
        api.post(f"{API}/login/", credentials, headers={"User-Agent": hostile})
        api.post(f"{API}/login/", credentials, headers=headers)
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
def test_stored_fields_of_a_request_hold_no_control_characters(
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
def test_a_foreign_host_is_not_logged(
    api: APIClient, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    settings.ALLOWED_HOSTS = ["own.example"]

    with logged("json") as log:
        answer = api.get(f"{API}/csrf/", headers={"Host": "foreign.example"})

    assert answer.status_code == 400
    assert [event for event in lines_of(log.getvalue()) if "foreign" in str(event)] == []
    assert "foreign" not in capfd.readouterr().err


@given(ANYTHING)
@thoroughly
def test_any_text_can_be_read_back_from_the_log(text: str) -> None:
    with logged("json") as log:
        structlog.get_logger("own").warning("said", text=text)
        logging.getLogger("foreign").warning("%s", text)
        logging.getLogger("foreign").warning(text)

    own, foreign, alone = lines_of(log.getvalue())
    assert (own["event"], own["text"]) == ("said", text)
    assert foreign["event"] == alone["event"] == text


@given(ANYTHING)
@thoroughly
def test_an_exception_is_one_line(text: str) -> None:
    with logged("json") as log:
        try:
            raise LookupError(text)
        except LookupError as error:
            structlog.get_logger("own").error("failed", exc_info=error)
            logging.getLogger("foreign").exception("failed")

    assert [event["event"] for event in lines_of(log.getvalue())] == ["failed", "failed"]
    assert all("LookupError" in event["exception"] for event in lines_of(log.getvalue()))


@pytest.mark.parametrize(
    "value",
    [b"\xff\n", {1, 2}, object(), LookupError("\n"), {"\n": "\u2028"}, 1.5, None],
    ids=lambda value: type(value).__name__,
)
def test_values_that_json_lacks_are_logged(value: object) -> None:
    with logged("json") as log:
        structlog.get_logger("own").warning("said", value=value)

    [event] = lines_of(log.getvalue())
    assert event["event"] == "said"
