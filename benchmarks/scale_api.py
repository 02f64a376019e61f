"""Script that measures the API's main operations and prints their medians; in this process."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.db import connection
from django.test import Client

_PEOPLE = 15
_AUTH = "/api/v1/auth"
_HEADERS = {"Host": "127.0.0.1", "User-Agent": "Vineyard/1.0 (Android 15; Pixel 9) okhttp/4.12.0"}
_JSON = "application/json"

Answer = tuple[float, float, dict[str, Any]]
"""The milliseconds of a request, those of its statements, and the body of its answer."""


def main() -> None:
    """Have some people use the service, one after the other."""
    django.setup()
    from authentication.management.commands.seed_demo import PASSWORD
    from authentication.models import User

    able = User.objects.filter(is_active=True, email_verified=True)
    emails = list(able.order_by("created_at").values_list("email", flat=True)[: _PEOPLE + 1])
    # The first is not counted: it loads what a process loads once.
    measured = [_use(email, PASSWORD) for email in emails][1:]
    medians = {
        name: (
            statistics.median(each[name][0] for each in measured),
            statistics.median(each[name][1] for each in measured),
        )
        for name in measured[0]
    }
    json.dump(medians, sys.stdout)


def _use(email: str, password: str) -> dict[str, Answer]:
    failed = _post("login", email=email, password=f"not {password}", _status=401)
    login = _post("login", email=email, password=password)
    refresh = _post("token/refresh", refresh=login[2]["refresh"])
    token = {"Authorization": f"Bearer {refresh[2]['access']}"}
    return {
        "login": login,
        "failed login": failed,
        "refresh": refresh,
        "profile": _get("/api/v1/profiles/me/", token),
        "list of sessions": _get(f"{_AUTH}/sessions/", token),
        "activity": _get(f"{_AUTH}/account/activity/", token),
    }


def _post(path: str, *, _status: int = 200, **body: str) -> Answer:
    client = Client(headers=_HEADERS)
    return _timed(lambda: client.post(f"{_AUTH}/{path}/", body, content_type=_JSON), _status)


def _get(path: str, headers: dict[str, str]) -> Answer:
    return _timed(lambda: Client(headers=_HEADERS).get(path, headers=headers), 200)


def _timed(send: Callable[[], Any], status: int) -> Answer:
    in_database = 0.0

    def timed(execute: Any, *arguments: Any) -> Any:
        nonlocal in_database
        started = time.monotonic()
        try:
            return execute(*arguments)
        finally:
            in_database += time.monotonic() - started

    started = time.monotonic()
    with connection.execute_wrapper(timed):
        answer = send()
    seconds = time.monotonic() - started
    if answer.status_code != status:
        raise SystemExit(f"{answer.request['PATH_INFO']} answered {answer.status_code}")
    return 1000 * seconds, 1000 * in_database, answer.json()


if __name__ == "__main__":
    main()
