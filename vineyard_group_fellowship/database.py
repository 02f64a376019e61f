"""The pool of connections to PostgreSQL, when the database has been away."""

import psycopg
from django.db import connections
from psycopg_pool import PoolTimeout

# Connections that broke, and a server that is ending or starting (PostgreSQL's error codes, appendix A).
_LOST = ("08", "57P")


def forget_lost(error: Exception) -> None:
    """Empty the pools when an error tells of a lost connection: those that wait in them went the same way.

    Left alone, each would cost another request. The pool's own checks wait a second and more for every one of them.
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
