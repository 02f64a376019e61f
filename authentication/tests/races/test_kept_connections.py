"""A kept connection to PostgreSQL is checked without asking the server."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from rest_framework.test import APIClient

from authentication.tests.clients import Tokens
from authentication.tests.conftest import ME, bearer

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def process_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end(number: int) -> None:
    """End a process of PostgreSQL, and wait until it has ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
        assert cursor.fetchone() == (True,)


def begin_a_request() -> None:
    """Let Django check the connection before its next statement, as at a request's start."""
    connection.close_if_unusable_or_obsolete()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the list of health checks by a statement."""
    asked: list[str] = []
    wrapper = type(connections["default"])
    original = wrapper.is_usable

    def noted(self: Any) -> Any:
        asked.append("SELECT 1")
        return original(self)

    monkeypatch.setattr(wrapper, "is_usable", noted)
    assert connection.settings_dict["CONN_HEALTH_CHECKS"]
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 600)
    connection.close()
    yield asked
    # One that was lost must not stay for the tests that follow.
    connection.close()


def test_a_live_one_is_not_asked(api: APIClient, signed_in: Tokens, asked: list[str]) -> None:
    number = process_id()

    for _ in range(3):
        begin_a_request()
        assert api.get(ME, headers=bearer(signed_in["access"])).status_code == 200

    assert process_id() == number
    assert asked == []


def test_one_that_the_server_ended_costs_no_request(
    api: APIClient, signed_in: Tokens, asked: list[str]
) -> None:
    number = process_id()
    all_at_once(lambda: end(number))

    begin_a_request()
    answer = api.get(ME, headers=bearer(signed_in["access"]))

    assert answer.status_code == 200
    assert process_id() != number
    assert asked == ["SELECT 1"]
