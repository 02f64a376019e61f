"""Error reports name the place of a fault and contain no personal data."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.db import connection, connections
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication import tasks
from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.answers import unexpected
from authentication.tests.clients import log_in
from authentication.tests.routes import ADMIN_ROUTES, ROUTES, routes, view_at

from .reports import CANARIES, CapturingTransport, CrashingService, crash, path_of, send_request

REPORT = {
    "status": 500,
    "errors": ["LookupError", "RuntimeError"],
    "function": "crash",
    "tags": True,
    "same name": True,
    "id in name": False,
    "leaked": [],
}
"""What the report of a crash of any view shows."""

pytestmark = [pytest.mark.django_db, pytest.mark.security]


TASKS = sorted(name for name in current_app.tasks if name.startswith("authentication."))
ROUTES_AND_METHODS = [(route, method) for route, rule in ROUTES.items() for method in rule.limits]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def crash_with_request(view: Any, request: Any, *args: Any, **kwargs: Any) -> None:
    """Crash in place of a view's method, with all of the request in an error."""
    given = getattr(request, "data", None) or request.POST.dict()
    crash(given=given, user=str(request.user), path=request.get_full_path())


def has_uuid(name: str) -> bool:
    return any(len(part) == 36 for part in name.split("/"))


@pytest.mark.slow
def test_a_crash_of_a_view_is_reported_with_its_route_and_no_personal_data(
    api: APIClient,
    reports: CapturingTransport,
    canary_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    access = log_in(api, canary_user, CANARIES["password"]).json()["access"]
    words = ("password", "new_password", "token", "refresh", "name")
    body = {
        "email": CANARIES["email"],
        **{word: CANARIES.get(word, CANARIES["password"]) for word in words},
    }

    def outcome(case: tuple[str, str]) -> dict[str, Any]:
        route, method = case
        reports.envelopes.clear()
        with monkeypatch.context() as patch:
            patch.setattr(view_at(route), method.lower(), crash_with_request)
            status, headers, _ = send_request(method, path_of(route), body, access)
        [error] = reports.items("event")
        [trace] = reports.items("transaction")
        chain = error["exception"]["values"]
        return {
            "status": status,
            "errors": [it["type"] for it in chain],
            "function": chain[-1]["stacktrace"]["frames"][-1]["function"],
            "tags": error["tags"] == {"correlation_id": headers["X-Correlation-ID"]},
            "same name": error["transaction"] == trace["transaction"],
            "id in name": "<" in route and has_uuid(trace["transaction"]),
            "leaked": reports.leaked_canaries(access=access, user=str(canary_user.pk)),
        }

    assert unexpected(ROUTES_AND_METHODS, outcome, REPORT) == {}


@pytest.mark.slow
def test_a_crash_in_the_admin_is_reported_without_personal_data(
    reports: CapturingTransport, canary_user: User
) -> None:
    User.objects.filter(pk=canary_user.pk).update(is_staff=True, is_superuser=True)
    client = Client(raise_request_exception=False)
    client.force_login(canary_user)

    def refuse(_: Any, sql: str, params: Any, *__: Any) -> None:
        crash(sql=sql, params=params)

    def outcome(route: str) -> tuple[int, str, list[str]]:
        reports.envelopes.clear()
        path = f"/{route}".replace("<path:object_id>", CANARIES["path"])
        with connection.execute_wrapper(refuse):
            answer = client.get(f"{path}?q={CANARIES['query']}", REMOTE_ADDR=CANARIES["address"])
        error = reports.items("event")[0]["exception"]["values"][-1]["type"]
        return answer.status_code, error, reports.leaked_canaries(user=str(canary_user.pk))

    guarded = [route for route, who in ADMIN_ROUTES.items() if who == "admin session"]
    assert unexpected(guarded, outcome, (500, "RuntimeError", [])) == {}


def by_celery(name: str, *arguments: str) -> None:
    current_app.tasks[name].apply(arguments)


@pytest.mark.parametrize("run", [by_celery, background.run], ids=["celery", "threads"])
@pytest.mark.parametrize("name", TASKS)
def test_a_crash_of_a_task_is_reported_with_its_name_and_no_arguments(
    reports: CapturingTransport,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    run: Callable[..., None],
) -> None:
    wanted = len(inspect.signature(current_app.tasks[name].run).parameters)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    for used, it in list(vars(tasks).items()):
        if (
            getattr(it, "__module__", "").startswith("authentication.services")
            and used != "record_failed_task"
        ):
            monkeypatch.setattr(tasks, used, CrashingService())

    run(name, *([CANARIES["note"]] * wanted))

    [error] = reports.items("event")
    assert error["exception"]["values"][-1]["type"] == "RuntimeError"
    assert run is not by_celery or error["transaction"] == name
    assert reports.leaked_canaries() == []


def test_every_route_is_crashed_in_these_tests() -> None:
    assert {route for route, _ in ROUTES_AND_METHODS} | ADMIN_ROUTES.keys() | {
        "^api(/|$)"
    } == routes().keys()
