"""GET /api/v1/auth/health/: a database that answers and still cannot be used."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from rest_framework.test import APIClient

from authentication.services.operations import database_state
from authentication.tests.conftest import API

URL = f"{API}/health/"

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(api: APIClient) -> tuple[int, str, str]:
    answer = api.get(URL)
    return answer.status_code, answer.json()["status"], answer.json()["database"]


def test_new_code_on_an_old_schema_is_unhealthy(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = database_state.needed_migrations()
    monkeypatch.setattr(
        database_state, "needed_migrations", lambda: needed | {("authentication", "9999_next")}
    )

    assert state_of(api) == (503, "unhealthy", "migrations missing")


def test_a_migration_that_was_taken_back_is_missing(api: APIClient) -> None:
    newest = max(
        name for app, name in database_state.needed_migrations() if app == "authentication"
    )
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("authentication", newest)
    try:
        found = state_of(api)
    finally:
        recorder.record_applied("authentication", newest)

    assert found == (503, "unhealthy", "migrations missing")
    assert state_of(api) == (200, "healthy", "connected")


def test_old_code_on_a_new_schema_is_healthy(api: APIClient) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("authentication", "9999_next")
    try:
        found = state_of(api)
    finally:
        recorder.record_unapplied("authentication", "9999_next")

    assert found == (200, "healthy", "connected")


@pytest.mark.services
def test_a_database_that_refuses_writes_is_unhealthy(api: APIClient) -> None:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    try:
        found = state_of(api)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")

    assert found == (503, "unhealthy", "read-only")
    assert state_of(api) == (200, "healthy", "connected")
