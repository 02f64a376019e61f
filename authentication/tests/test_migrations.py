"""Migrations and the version that serves while they run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)

from authentication.tests.faults.rig import database_url
from authentication.tests.settings.reader import clean_environment

# Migrations up to this one were written before the first release.
_BEFORE_ANY_RELEASE = "0012_session_live"
_REMOVING = (RemoveField, RenameField, RenameModel, DeleteModel)


def test_a_migration_keeps_the_version_before_working() -> None:
    # The version before still serves while the new one migrates, and cannot write new columns.
    loaded = MigrationLoader(None).disk_migrations
    later = [
        it
        for (app, name), it in loaded.items()
        if app == "authentication" and name > _BEFORE_ANY_RELEASE
    ]
    operations = [(it.name, operation) for it in later for operation in it.operations]

    removed = [name for name, it in operations if isinstance(it, _REMOVING)]
    required = [
        name
        for name, it in operations
        if isinstance(it, AddField)
        and not (it.field.null or it.field.many_to_many or it.field.has_db_default())
    ]

    assert (removed, required) == ([], [])


def upgraded(**environment: str) -> dict[str, Any]:
    """Return what authentication/tests/upgrading.py found on an empty database."""
    done = subprocess.run(
        [sys.executable, "-m", "authentication.tests.upgrading"],
        cwd=settings.BASE_DIR,
        env=clean_environment(
            DJANGO_ENVIRONMENT="development",
            RATELIMIT_ENABLE="False",
            HIBP_ENABLED="False",
            **environment,
        ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_rows_of_every_version_survive(found: dict[str, Any]) -> None:
    added = found["added"]

    assert added.keys() == {
        name for app, name in MigrationLoader(None).disk_migrations if app == "authentication"
    }
    assert added["0001_initial"] > 5
    assert found["signed in"] == [200] * len(added)


@pytest.mark.slow
def test_rows_of_every_version_survive_the_upgrade(tmp_path: Path) -> None:
    assert_rows_of_every_version_survive(upgraded(SQLITE_PATH=str(tmp_path / "db.sqlite3")))


@pytest.mark.services
def test_rows_of_every_version_survive_the_upgrade_on_postgresql(transactional_db: None) -> None:
    server, name = database_url().rpartition("/")[0], f"upgrade_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            assert_rows_of_every_version_survive(upgraded(DATABASE_URL=f"{server}/{name}"))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
