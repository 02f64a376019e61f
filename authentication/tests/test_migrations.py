"""Migrations and the version that serves while they run."""

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)

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
