"""Traces and scrubbed reports contain no personal data."""

import json

import pytest
import sentry_sdk
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from authentication.models import User
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from authentication.utils.pwned import breached_suffixes
from vineyard_group_fellowship.error_reports import UNKNOWN_PATH, scrub_error, scrub_trace

from .reports import CANARIES, CapturingTransport, send_request

pytestmark = [pytest.mark.django_db, pytest.mark.security]


def test_a_path_without_a_route_is_not_reported(reports: CapturingTransport) -> None:
    send_request("GET", f"/{CANARIES['path']}/")

    assert [trace["transaction"] for trace in reports.items("transaction")] == [UNKNOWN_PATH]
    assert reports.leaked_canaries() == []


def test_a_sign_in_is_traced_without_personal_data(
    reports: CapturingTransport, canary_user: User
) -> None:
    _, _, content = send_request(
        "POST", f"{API}/login/", {"email": canary_user.email, "password": CANARIES["password"]}
    )

    answer = json.loads(content)
    [trace] = reports.items("transaction")
    statements = [span["description"] for span in trace["spans"] if span["op"] == "db"]
    tokens = {name: answer[name] for name in ("access", "refresh")}
    assert trace["transaction"] == f"{API}/login/"
    assert any("authentication_user" in statement for statement in statements)
    assert reports.leaked_canaries(**tokens, session_of=str(canary_user.pk)) == []


def test_a_breach_check_is_traced_without_the_prefix(
    reports: CapturingTransport, settings: Settings, httpserver: HTTPServer
) -> None:
    settings.HIBP_API_URL = httpserver.url_for("/range")
    httpserver.expect_request("/range/ABCDE").respond_with_data("0" * 35 + ":1")

    with sentry_sdk.start_transaction(name="check", op="queue.task.celery"):
        breached_suffixes("ABCDE")

    [trace] = reports.items("transaction")
    [request] = httpserver.log
    assert [span["description"] for span in trace["spans"] if span["op"] == "http.client"] == [
        "GET"
    ]
    assert "ABCDE" not in reports.sent()
    assert not {"sentry-trace", "baggage"} & {name.lower() for name, _ in request[0].headers}


def test_an_error_keeps_only_its_class_and_place() -> None:
    frame = {"function": "post", "lineno": 7, "vars": {"password": PASSWORD}, "new": PASSWORD}
    error = {
        "type": "OSError",
        "value": PASSWORD,
        "mechanism": {"data": PASSWORD},
        "stacktrace": {"frames": [frame]},
    }
    request = {"method": "POST", "url": PASSWORD, "data": PASSWORD, "new": PASSWORD}

    scrubbed = scrub_error(
        {"exception": {"values": [error]}, "request": request, "new": PASSWORD}, {}
    )

    assert scrubbed == {
        "exception": {
            "values": [
                {"type": "OSError", "stacktrace": {"frames": [{"function": "post", "lineno": 7}]}}
            ],
        },
        "request": {"method": "POST"},
        "contexts": {},
        "tags": {},
    }


@pytest.mark.parametrize(
    ("operation", "description", "kept"),
    [
        (
            "db",
            "SELECT 1 FROM authentication_user WHERE id = %s",
            "SELECT 1 FROM authentication_user WHERE id = %s",
        ),
        ("db.redis", "SET 'vgf:1:exchange:note' 'person'", "SET"),
        ("cache.get", "vgf:1:exchange:note", ""),
        ("http.client", "GET https://api.example.org/range/ABCDE?x=1", "GET"),
        ("socket.dns", "mail.example.org:25", ""),
        ("view.render", "login", "login"),
        ("some.new.thing", "ruth@example.org", ""),
    ],
)
def test_a_span_keeps_only_words_of_the_code(operation: str, description: str, kept: str) -> None:
    span = {
        "op": operation,
        "description": description,
        "data": {"x": "y"},
        "tags": {"x": "y"},
        "span_id": "1",
    }

    scrubbed = scrub_trace(
        {"type": "transaction", "spans": [span], "user": {"id": 1}, "new": 1}, {}
    )

    assert scrubbed["spans"] == [{"op": operation, "description": kept, "span_id": "1"}]
    assert scrubbed.keys() == {"type", "spans", "contexts", "tags"}


@pytest.mark.parametrize("name", ["celery", "redis", "django"])
def test_the_integrations_are_on(reports: CapturingTransport, name: str) -> None:
    assert name in sentry_sdk.get_client().integrations
