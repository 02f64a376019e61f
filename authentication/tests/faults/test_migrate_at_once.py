"""Several replicas that migrate at the same moment."""

import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from authentication.management.commands.migrate import _LOCK

from . import rig

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NAME = "migrated_at_once"


@pytest.fixture
def empty() -> Iterator[str]:
    """Return the address of an empty database."""
    name = f"{connection.settings_dict['NAME']}_{NAME}"
    drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
    with connection.cursor() as cursor:
        cursor.execute(drop)
        cursor.execute(f'CREATE DATABASE "{name}"')
    yield f"{rig.database_url().rpartition('/')[0]}/{name}"
    with connection.cursor() as cursor:
        cursor.execute(drop)


def start(database: str, **changed: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "migrate", "--noinput"],
        cwd=rig.ROOT,
        env=rig.environment(DATABASE_URL=database, **changed),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(migration: subprocess.Popen[str]) -> tuple[int, str]:
    out, errors = migration.communicate(timeout=180)
    return migration.returncode, out + errors


def test_all_of_three_succeed_on_an_empty_database(empty: str) -> None:
    ended = [end_of(one) for one in [start(empty) for _ in range(3)]]

    assert [code for code, _ in ended] == [0, 0, 0], ended
    applied = [text.count("Applying authentication.") for _, text in ended]
    assert sorted(applied)[:2] == [0, 0]
    assert max(applied) > 20


def test_waiting_for_a_long_migration_meets_no_timeout(empty: str) -> None:
    with psycopg.connect(empty) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        other.commit()
        waiting = start(empty, DB_STATEMENT_TIMEOUT_MS="2000", DB_LOCK_TIMEOUT_MS="2000")
        time.sleep(8)
        waited = waiting.poll() is None
        # The other ends without a word, as a process that is killed.
        other.close()
    code, text = end_of(waiting)

    assert waited
    assert code == 0, text
    assert "Another process migrates" in text
