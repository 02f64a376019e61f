"""Whether the database can be used: it answers, takes writes, and has every migration."""

import functools
from typing import Any

from django.db import Error, OperationalError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader

from .database_connections import drop_lost_connections, statements_within

CONNECTED = "connected"
READ_ONLY = "read-only"
MIGRATIONS_MISSING = "migrations missing"
UNAVAILABLE = "unavailable"

_STATEMENT_MS = 1_000


def state_of_database() -> str:
    """Return the state of the database, in one of the words above; the caller closes it."""
    # Asked twice: the first connection may be one of the pool that broke while it was idle. The
    # second is new.
    return _ask() or _ask() or UNAVAILABLE


@functools.cache
def needed_migrations() -> frozenset[tuple[str, str]]:
    """Return the newest migration of each application: each one implies those before it."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _ask() -> str | None:
    try:
        with statements_within(_STATEMENT_MS), connection.cursor() as cursor:
            return _state(cursor)
    except ProgrammingError:
        # There is not even a table of migrations.
        return MIGRATIONS_MISSING
    except Error as error:
        drop_lost_connections(error)
        connection.close()
        return READ_ONLY if _is_refused_as_read_only(error) else None


def _state(cursor: Any) -> str:
    # On for a standby, and for a server or a database that is set so.
    if connection.vendor == "postgresql":
        cursor.execute("SELECT current_setting('transaction_read_only')")
        if cursor.fetchone() == ("on",):
            return READ_ONLY
    cursor.execute("SELECT app, name FROM django_migrations")
    missing = needed_migrations() - set(cursor.fetchall())
    return MIGRATIONS_MISSING if missing else CONNECTED


def _is_refused_as_read_only(error: Error) -> bool:
    # libpq ends a connection to a server that is not read-write; it has no code for it.
    return isinstance(error, OperationalError) and "session is read-only" in str(error)
