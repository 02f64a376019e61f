"""Errors of the database that are not the request's fault."""

from django.db import InterfaceError, OperationalError

READ_ONLY = "25006"
# A row refers to one that is gone: an account that was erased while a request was about it. Asked
# again, the request finds no such account.
_ERASED_MEANWHILE = "23503"

# SQLSTATEs of PostgreSQL (appendix A) and classes of them.
_FAULTS = (
    "08",  # a connection broke
    "25P02",  # the transaction is aborted already
    "25P03",  # the transaction was idle for too long
    "25P04",  # the transaction took too long
    READ_ONLY,  # a standby, or a primary that was set so
    "40",  # rolled back: deadlock, serialization
    "53",  # no connection, memory or disk left
    "55P03",  # the lock was not granted in time
    "57",  # statement timeout; the server starts or shuts down
    "58",  # an error of the operating system
)


def is_database_fault(error: BaseException | None) -> bool:
    """Return whether an error of Django's database layer is a fault of the database.

    Some are an OperationalError, others an InternalError, as a write on a read-only server is.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return True
    sqlstate = getattr(error.__cause__, "sqlstate", None) if error else None
    return sqlstate == _ERASED_MEANWHILE or is_fault(sqlstate)


def is_fault(sqlstate: str | None) -> bool:
    """Return whether a SQLSTATE says that the database, and not the statement, is at fault."""
    return bool(sqlstate) and str(sqlstate).startswith(_FAULTS)
