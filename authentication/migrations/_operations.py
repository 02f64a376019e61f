"""Operations of migrations that run while the service serves."""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddIndex, RemoveIndex
from django.db.migrations.state import ProjectState


class AddIndexOnline(AddIndex):
    """Adds an index while rows are written; the migration must not be atomic.

    On PostgreSQL the index is built with CONCURRENTLY, which does not lock the table. An index that
    a failed try has left is invalid: it is built anew. SQLite has one writer in any case.
    """

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build the index."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        # It waits for older transactions, such as a backup's, and blocks nobody meanwhile.
        editor.execute("SET lock_timeout = 0")
        editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        editor.add_index(model, self.index, concurrently=True)
        editor.execute("RESET lock_timeout")


class RemoveIndexOnline(RemoveIndex):
    """Removes an index while rows are written; the migration must not be atomic."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop the index."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute("SET lock_timeout = 0")
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.name}"')
        schema_editor.execute("RESET lock_timeout")
