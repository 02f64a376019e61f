"""What an error report and a trace hold: the place of the fault, and nothing of the person it happened to."""

import inspect
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sentry_sdk
from celery import current_app
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections
from django.test import Client, RequestFactory
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from authentication import tasks
from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.routes import ADMIN_ROUTES, ROUTES, routes, view_at
from authentication.utils.pwned import breached_suffixes
from vineyard_group_fellowship.error_reports import UNKNOWN_PATH, scrub_error, scrub_trace
from vineyard_group_fellowship.handler import ServiceHandler
from vineyard_group_fellowship.settings import monitoring

# A report quotes the lines of code around a fault: what stands in this file is no canary.
CANARIES = {
    name: f"{name}{uuid.uuid4().hex}"
    for name in ("password", "token", "query", "cookie", "agent", "name", "note", "path")
}
CANARIES["email"] = f"{uuid.uuid4().hex}@example.org"
CANARIES["username"] = f"u{uuid.uuid4().hex[:24]}"
CANARIES["address"] = "203.0.113.77"
CSRF = "c" * 32
TASKS = sorted(name for name in current_app.tasks if name.startswith("authentication."))
DOORS_AND_METHODS = [(route, method) for route, door in ROUTES.items() for method in door.limits]

pytestmark = [pytest.mark.django_db, pytest.mark.security]


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def sent(self) -> str:
        sentry_sdk.flush()
        return b"\n".join(envelope.serialize() for envelope in self.envelopes).decode()

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the errors ("event") or traces ("transaction") among it."""
        sentry_sdk.flush()
        found = [
            item for envelope in self.envelopes for item in envelope.items if item.type == kind
        ]
        return [json.loads(item.get_bytes()) for item in found]

    def leaked(self, **more: str) -> list[str]:
        """Return the names of the canaries that flew."""
        sent = self.sent()
        return [name for name, canary in {**CANARIES, **more}.items() if canary in sent]


@pytest.fixture
def reports() -> Iterator[Kept]:
    kept = Kept()
    sentry_sdk.init(
        dsn="http://key@localhost:9/1",
        transport=kept,
        **{**monitoring.SENTRY_OPTIONS, "traces_sample_rate": 1.0},
    )
    yield kept
    sentry_sdk.init(default_integrations=False)


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def somebody(db: None) -> User:
    names = {
        "username": CANARIES["username"],
        "first_name": CANARIES["name"],
        "last_name": CANARIES["name"],
    }
    return UserFactory(email=CANARIES["email"], password=CANARIES["password"], **names)


Answer = tuple[int, dict[str, str], bytes]


def ask(method: str, path: str, body: dict[str, str] | None = None, access: str = "") -> Answer:
    """Ask as a server does, with a canary wherever one fits: the test client goes past what traces a request."""
    # The connection of the test's transaction stays.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    started: list[Any] = []
    headers = {
        "User-Agent": CANARIES["agent"],
        "Referer": f"https://www.example.org/?token={CANARIES['token']}",
        "Cookie": f"refresh_token={CANARIES['cookie']}; sessionid={CANARIES['cookie']}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        **(bearer(access) if access else {}),
    }
    factory = RequestFactory(headers=headers, REMOTE_ADDR=CANARIES["address"])
    query = f"token={CANARIES['query']}"
    request = factory.generic(
        method, path, json.dumps(body or {}), "application/json", QUERY_STRING=query
    )
    handler: Any = ServiceHandler()
    answer = handler(request.environ, lambda *told: started.append(told))
    content = b"".join(answer)
    answer.close()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    [(status, headers)] = started
    return int(status.split()[0]), dict(headers), content


def crash(*_: object, **given: Any) -> None:
    """Fail with words that quote everything, as a database's do."""
    quoted = dict(CANARIES)
    try:
        raise LookupError(CANARIES["name"])
    except LookupError as error:
        raise RuntimeError(f"{given} {quoted}\nDETAIL: {quoted}") from error


class Crashing:
    """A service that fails, whatever is asked of it."""

    __call__ = staticmethod(crash)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return crash


def path_of(route: str) -> str:
    for mark in ("<uuid:session_id>", "<uuid:event_id>"):
        route = route.replace(mark, str(uuid.uuid4()))
    return f"/{route}".replace("<slug:code>", CANARIES["path"]).replace(
        "^api(/|$)", f"api/{CANARIES['path']}/"
    )


@pytest.mark.parametrize(("route", "method"), DOORS_AND_METHODS)
def test_a_crash_of_any_view_tells_its_route_and_nothing_of_the_request(
    api: APIClient,
    reports: Kept,
    somebody: User,
    monkeypatch: pytest.MonkeyPatch,
    route: str,
    method: str,
) -> None:
    signed_in = api.post(
        f"{API}/login/", {"email": somebody.email, "password": CANARIES["password"]}
    ).json()
    reports.envelopes.clear()

    def fail(view: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        given = getattr(request, "data", None) or request.POST.dict()
        crash(given=given, user=str(request.user), path=request.get_full_path())

    monkeypatch.setattr(view_at(route), method.lower(), fail)
    words = ("password", "new_password", "token", "refresh", "name")
    body = {
        "email": CANARIES["email"],
        **{word: CANARIES.get(word, CANARIES["password"]) for word in words},
    }

    status, headers, _ = ask(method, path_of(route), body, signed_in["access"])

    [error] = reports.items("event")
    [trace] = reports.items("transaction")
    assert status == 500
    assert [it["type"] for it in error["exception"]["values"]] == ["LookupError", "RuntimeError"]
    assert error["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "crash"
    assert error["tags"] == {"correlation_id": headers["X-Correlation-ID"]}
    assert error["transaction"] == trace["transaction"]
    assert "<" not in route or uuid_free(trace["transaction"])
    assert reports.leaked(access=signed_in["access"], user=str(somebody.pk)) == []


def uuid_free(name: str) -> bool:
    return not any(len(part) == 36 for part in name.split("/"))


@pytest.mark.parametrize(
    "route", [route for route, who in ADMIN_ROUTES.items() if who == "admin session"]
)
def test_a_crash_at_the_desk_tells_nothing_of_anybody(
    reports: Kept, somebody: User, route: str
) -> None:
    User.objects.filter(pk=somebody.pk).update(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)
    client.force_login(somebody)
    reports.envelopes.clear()

    def refuse(_: Any, sql: str, params: Any, *__: Any) -> None:
        crash(sql=sql, params=params)

    path = f"/{route}".replace("<path:object_id>", CANARIES["path"])
    with connection.execute_wrapper(refuse):
        answer = client.get(f"{path}?q={CANARIES['query']}", REMOTE_ADDR=CANARIES["address"])

    assert answer.status_code == 500
    assert reports.items("event")[0]["exception"]["values"][-1]["type"] == "RuntimeError"
    assert reports.leaked(user=str(somebody.pk)) == []


def by_celery(name: str, *arguments: str) -> None:
    current_app.tasks[name].apply(arguments)


@pytest.mark.parametrize("run", [by_celery, background.run], ids=["celery", "threads"])
@pytest.mark.parametrize("name", TASKS)
def test_a_crash_of_any_task_tells_its_name_and_none_of_its_arguments(
    reports: Kept, monkeypatch: pytest.MonkeyPatch, name: str, run: Callable[..., None]
) -> None:
    wanted = len(inspect.signature(current_app.tasks[name].run).parameters)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    for used, it in list(vars(tasks).items()):
        if (
            getattr(it, "__module__", "").startswith("authentication.services")
            and used != "record_failed_task"
        ):
            monkeypatch.setattr(tasks, used, Crashing())

    run(name, *([CANARIES["note"]] * wanted))

    [error] = reports.items("event")
    assert error["exception"]["values"][-1]["type"] == "RuntimeError"
    assert run is not by_celery or error["transaction"] == name
    assert reports.leaked() == []


def test_a_path_without_a_route_is_no_name(reports: Kept) -> None:
    ask("GET", f"/{CANARIES['path']}/")

    assert [trace["transaction"] for trace in reports.items("transaction")] == [UNKNOWN_PATH]
    assert reports.leaked() == []


def test_signing_in_is_traced_without_anybody_in_it(reports: Kept, somebody: User) -> None:
    _, _, content = ask(
        "POST", f"{API}/login/", {"email": somebody.email, "password": CANARIES["password"]}
    )

    answer = json.loads(content)
    [trace] = reports.items("transaction")
    statements = [span["description"] for span in trace["spans"] if span["op"] == "db"]
    tokens = {name: answer[name] for name in ("access", "refresh")}
    assert trace["transaction"] == f"{API}/login/"
    assert any("authentication_user" in statement for statement in statements)
    assert reports.leaked(**tokens, session_of=str(somebody.pk)) == []


def test_a_look_up_of_a_password_is_traced_without_its_prefix(
    reports: Kept, settings: Settings, httpserver: HTTPServer
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


def test_an_error_keeps_its_class_and_its_place_whatever_the_library_adds() -> None:
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
        ("some.new.thing", "somebody@example.org", ""),
    ],
)
def test_a_span_keeps_what_is_a_word_of_the_code(
    operation: str, description: str, kept: str
) -> None:
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
def test_the_integrations_are_on(reports: Kept, name: str) -> None:
    assert name in sentry_sdk.get_client().integrations


def test_every_address_of_the_service_is_crashed_here() -> None:
    assert {route for route, _ in DOORS_AND_METHODS} | ADMIN_ROUTES.keys() | {
        "^api(/|$)"
    } == routes().keys()
