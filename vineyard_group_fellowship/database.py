"""Connections to PostgreSQL, when the database hangs or has been away."""

import functools
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg_pool import PoolTimeout

# Connections that broke, and a server that is ending or starting (PostgreSQL's error codes,
# appendix A).
_LOST = ("08", "57P")

# For so many seconds more than a statement may take its answer may be on its way.
_ON_ITS_WAY = 2.0


@receiver(connection_created)
def bound_waiting(connection: Any, **_: object) -> None:
    """Let nobody wait for an answer long after the server should have given the statement up.

    A server that hangs gives nothing up, and while its machine still acknowledges what it is sent,
    no timeout of the network's ends the waiting: in a minute every thread would wait, those that
    tell that the process lives among them.
    """
    if connection.vendor == "postgresql" and settings.DB_STATEMENT_TIMEOUT_MS:
        connection.connection.wait = functools.partial(_wait, connection.connection)


def _wait(connection: psycopg.Connection[Any], work: Any, *arguments: Any, **options: Any) -> Any:
    options.setdefault("timeout", settings.DB_STATEMENT_TIMEOUT_MS / 1000 + _ON_ITS_WAY)
    try:
        return type(connection).wait(connection, work, *arguments, **options)
    except psycopg.errors._WaitTimeout:  # noqa: SLF001 -- psycopg's documented name for it
        # Whoever used it next would read this statement's answer.
        connection.pgconn.finish()
        raise psycopg.OperationalError("The server does not answer.") from None


def forget_lost(error: Exception) -> None:
    """Empty the pools when an error tells of a lost connection: those that wait in them went the same way.

    Left alone, each would cost another request. The pool's own checks wait a second and more for
    every one of them.
    """
    if _is_lost(error.__cause__):
        for connection in connections.all(initialized_only=True):
            if pool := getattr(connection, "pool", None):
                pool.drain()


def _is_lost(cause: BaseException | None) -> bool:
    # A pool with nothing to give may be busy: emptied, it would be slower still.
    if not isinstance(cause, psycopg.OperationalError) or isinstance(cause, PoolTimeout):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(_LOST)
