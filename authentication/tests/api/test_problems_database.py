"""What PostgreSQL answers that is not the request's fault: a 503, on a connection that ends."""

from collections.abc import Callable

import pytest
from django.db import connection
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services import AuthenticationService
from authentication.services.operations import database_connections
from authentication.tests.clients import LOGIN, log_in

from .problems import answering_crashes, credentials, mismatches

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

FAULTS = {
    "25006": "read-only",
    "25P02": "transaction aborted",
    "25P03": "idle in transaction",
    "40001": "serialization",
    "40P01": "deadlock",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "55P03": "lock timeout",
    "57014": "statement timeout",
    "57P01": "shutting down",
    "57P03": "starting",
    "58030": "input/output error",
}
OWN_ERRORS = {"22012": "division by zero", "23505": "unique violation", "42601": "syntax error"}

# Connections that are opened before the service is loaded are not watched.
assert database_connections

Raise = Callable[[str], None]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """Return a function that lets PostgreSQL answer a sign-in with an error."""

    def set_code(code: str) -> None:
        def fail(**_: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"DO $$ BEGIN RAISE EXCEPTION 'secret' USING ERRCODE = '{code}'; END $$"
                )

        monkeypatch.setattr(AuthenticationService, "log_in", fail)

    return set_code


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("code", FAULTS, ids=FAULTS.get)
def test_a_fault_is_a_503_and_its_connection_ends(
    api: APIClient, person: User, raising: Raise, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(code)

    answer = answering_crashes(api).post(LOGIN, credentials(person.email))

    assert connection.connection.closed
    assert mismatches(answer, 503, "service_unavailable") == {}
    assert int(answer["Retry-After"]) > 0
    assert b"secret" not in answer.content
    monkeypatch.undo()
    connection.close_if_unusable_or_obsolete()
    assert log_in(api, person).status_code == 200


@pytest.mark.parametrize("code", OWN_ERRORS, ids=OWN_ERRORS.get)
def test_an_error_of_our_own_is_a_500_and_the_connection_stays(
    api: APIClient, person: User, raising: Raise, code: str
) -> None:
    before = backend()
    raising(code)

    answer = answering_crashes(api).post(LOGIN, credentials(person.email))

    assert mismatches(answer, 500, "server_error") == {}
    assert backend() == before
