"""Script that opens every page of the admin and prints its time and its number of queries."""

import json
import statistics
import sys
import time
from typing import Any

import django
from django.db import OperationalError, connection, reset_queries
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

_ROUNDS = 3
# A search that finds one person leads to the page of the person.
_SHOWN = {200, 302}


def main() -> None:
    """Measure each page as a superuser: the median of some rounds, in milliseconds."""
    django.setup()
    from authentication.models import User

    from .scale_pages import all_pages

    name = "scale@example.org"
    user = User.objects.filter(email=name).first() or User.objects.create_superuser(name)
    request: Any = RequestFactory().get("/admin/")
    request.user = user
    client = Client(headers={"Host": "127.0.0.1"})
    client.force_login(user)
    pages = list(all_pages(request))
    json.dump([(*page, *_measured(client, page, form)) for *page, form in pages], sys.stdout)


def _measured(client: Client, page: list[Any], form: dict[str, str] | None) -> tuple[float, int]:
    path, times, queries = page[-1], [], 0
    for _ in range(_ROUNDS):
        # Django keeps the last 9,000 statements, and counts none beyond.
        reset_queries()
        started = time.monotonic()
        with CaptureQueriesContext(connection) as captured:
            is_shown = _is_shown(client, path, form)
        if not is_shown:
            return float("inf"), len(captured)
        times.append(time.monotonic() - started)
        queries = len(captured)
    return 1000 * statistics.median(times), queries


def _is_shown(client: Client, path: str, form: dict[str, str] | None) -> bool:
    try:
        answer = client.get(path) if form is None else client.post(path, form)
    except OperationalError:  # The statement took too long.
        connection.close()
        return False
    return answer.status_code in _SHOWN


if __name__ == "__main__":
    main()
