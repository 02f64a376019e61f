"""Connections to PostgreSQL when the database hangs, was restarted or refuses writes."""

import contextlib
import functools
import select
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import psycopg
from django.conf import settings
from django.core.signals import request_started
from django.db import connections
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg_pool import PoolTimeout

from .database_faults import READ_ONLY, is_fault

# SQLSTATEs of connections that are of no use any more: they broke, the server shuts down or starts,
# or it refuses writes.
_LOST = ("08", "57P", READ_ONLY)

# The server ends a statement at its timeout; this is the time its answer may take to arrive.
_GRACE_SECONDS = 2.0
_wait_ms: ContextVar[int | None] = ContextVar("wait_ms", default=None)

# When a connection of this process last found that its server refuses writes.
_read_only_at = float("-inf")


@receiver(connection_created)
def bound_waiting(connection: Any, **_: object) -> None:
    """Bound how long a thread waits for the answer to a statement.

    A server that hangs does not end the statement. While its machine still acknowledges packets, no
    timeout of the network ends the wait either: within a minute every thread would wait, including
    those that answer the liveness check.
    """
    if connection.vendor == "postgresql":
        connection.opened_at = time.monotonic()
        connection.connection.wait = functools.partial(_wait, connection.connection)
        connection.is_usable = functools.partial(_is_usable, connection)


@receiver(request_started)
def close_read_only_connections(**_: object) -> None:
    """Close this thread's connections if another thread found since that writes are refused.

    After a failover each kept connection would cost a request. A new one is made to a server that
    takes writes (`target_session_attrs`).
    """
    for connection in connections.all(initialized_only=True):
        if getattr(connection, "opened_at", _read_only_at) < _read_only_at:
            connection.close()


@contextlib.contextmanager
def statements_within(milliseconds: int) -> Iterator[None]:
    """Wait no longer than this for a statement; 0 sets no bound.

    The server's own bound, statement_timeout, has to be set too.
    """
    token = _wait_ms.set(milliseconds)
    try:
        yield
    finally:
        _wait_ms.reset(token)


def _is_usable(connection: Any) -> bool:
    """Return whether a kept connection is alive; Django's health check, without its `SELECT 1`.

    Between statements a server has nothing to send but that it ends the connection, so there is
    something to read only then. A server that vanished without a word is found by the statement.
    After a fault the server is asked.
    """
    opened = connection.connection
    if opened is None or opened.closed:
        return False
    if connection.errors_occurred or _is_readable(opened.fileno()):
        return bool(type(connection).is_usable(connection))
    return True


def _is_readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return True  # On Windows Django asks the server.
    # Unlike select(), it takes any number of open files.
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(0))


def _wait(connection: psycopg.Connection[Any], work: Any, *arguments: Any, **options: Any) -> Any:
    # Without a statement timeout, as for migrations, the wait has no bound either.
    given = _wait_ms.get()
    if milliseconds := settings.DB_STATEMENT_TIMEOUT_MS if given is None else given:
        options.setdefault("timeout", milliseconds / 1000 + _GRACE_SECONDS)
    try:
        return type(connection).wait(connection, work, *arguments, **options)
    except psycopg.errors._WaitTimeout:  # noqa: SLF001 -- psycopg's documented name for it
        # The next user of the connection would read this statement's answer.
        connection.pgconn.finish()
        raise psycopg.OperationalError("The server does not answer.") from None
    except psycopg.Error as error:
        if is_fault(error.sqlstate):
            _drop(connection, error.sqlstate)
        raise


def _drop(connection: psycopg.Connection[Any], sqlstate: str | None) -> None:
    """End a connection; the next request opens another.

    Django would keep it: it still answers `SELECT 1`.
    """
    global _read_only_at  # noqa: PLW0603 -- of the process, for all its threads
    connection.pgconn.finish()
    if sqlstate == READ_ONLY:
        _read_only_at = time.monotonic()


def drop_lost_connections(error: Exception) -> None:
    """Empty the pools if the error is a lost connection: the idle ones are lost with it.

    Otherwise each of them would cost another request. The pool's own checks wait more than a second
    for every one of them.
    """
    if _is_lost(error.__cause__):
        for connection in connections.all(initialized_only=True):
            if pool := getattr(connection, "pool", None):
                pool.drain()


def _is_lost(cause: BaseException | None) -> bool:
    # A pool with no free connection may only be busy: emptied, it would be slower still.
    if not isinstance(cause, psycopg.Error) or isinstance(cause, PoolTimeout):
        return False
    if cause.sqlstate is None:
        return isinstance(cause, psycopg.OperationalError)
    return cause.sqlstate.startswith(_LOST)
