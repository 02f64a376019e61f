"""`manage.py migrate` for several processes at once: one migrates, the others wait for it."""

import contextlib
import time
import zlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from authentication.services.operations import statements_within

# PostgreSQL knows the lock by a number; it is one lock for each database.
_LOCK = zlib.crc32(b"vineyard_group_fellowship.migrate")
_PAUSE_SECONDS = 0.5


class Command(migrate.Command):
    """Django's command under a lock, so that replicas may migrate when they start."""

    def handle(self, *arguments: Any, **options: Any) -> str | None:
        """Migrate when no other process does; then there may be nothing left to do."""
        connection = connections[options["database"]]
        only_reads = options["plan"] or options["check_unapplied"]
        # In transaction mode PgBouncer would leave the lock to any client.
        if connection.vendor != "postgresql" or settings.PGBOUNCER or only_reads:
            return super().handle(*arguments, **options)
        with self._only_one(connection), statements_within(0):
            # An index of a large table takes longer than a request may.
            _run(connection, "SET statement_timeout = 0")
            return super().handle(*arguments, **options)

    @contextlib.contextmanager
    def _only_one(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        is_waiting = False
        # Asked again and again: a statement that waits would meet the timeouts.
        while not _ask(connection, "pg_try_advisory_lock"):
            if not is_waiting:
                self.stderr.write("Another process migrates. Waiting for it.")
            is_waiting = True
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            # With a connection that is lost the lock is, too.
            with contextlib.suppress(Error):
                _ask(connection, "pg_advisory_unlock")


def _run(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _ask(connection: BaseDatabaseWrapper, function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}({_LOCK})")
        return bool(cursor.fetchone()[0])
