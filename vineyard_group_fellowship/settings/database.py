"""The database: PostgreSQL where the environment names one, else SQLite."""

from pathlib import Path
from typing import Any

from .base import BASE_DIR
from .env import env

# Read even if another database is used: its name in .env must be known.
SQLITE_PATH = Path(env.text("SQLITE_PATH", str(BASE_DIR / "var" / "db.sqlite3")))
# Only where Django does not find the libraries itself.
GDAL_LIBRARY_PATH = env.text("GDAL_LIBRARY_PATH") or None
GEOS_LIBRARY_PATH = env.text("GEOS_LIBRARY_PATH") or None

DB_POOL_SIZE = env.integer("DB_POOL_SIZE", 0, high=200)
DB_CONN_MAX_AGE = env.integer("DB_CONN_MAX_AGE", 600)
PGBOUNCER = env.boolean("PGBOUNCER", default=False)
# A statement that hangs must cost a request a bounded time; 0 means no bound.
DB_STATEMENT_TIMEOUT_MS = env.integer("DB_STATEMENT_TIMEOUT_MS", 5000, high=600_000)
_TIMEOUTS = (
    f"-c statement_timeout={DB_STATEMENT_TIMEOUT_MS}",
    f"-c lock_timeout={env.integer('DB_LOCK_TIMEOUT_MS', 2000, high=600_000)}",
)
# By default PostgreSQL plans for disks that turn: it would rather read everybody's newest events
# than find one person's in an index.
_PLANNING = "-c random_page_cost=1.1"
# A server that disappears, as in a failover, is noticed within seconds. By its own defaults the
# kernel takes 15 minutes.
_NETWORK_TIMEOUTS = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
# A server that refuses writes is not used. Of several hosts the primary is.
_WRITABLE = {"target_session_attrs": "read-write"}
# In transaction mode the next statement may run on another connection, so statements cannot be
# prepared. PgBouncer also refuses startup parameters: it, or the role, sets them instead
# (docs/deployment.md).
_BEHIND_PGBOUNCER = {"prepare_threshold": None}


def postgresql() -> dict[str, Any] | None:
    """Return the PostgreSQL database of DATABASE_URL, else of DB_* or PG*; None without a host."""
    by_url = env.database("DATABASE_URL")
    by_parts = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env.text("DB_NAME", env.text("PGDATABASE", "vineyard_group_fellowship")),
        "USER": env.text("DB_USER", env.text("PGUSER", "vineyard_group_fellowship")),
        "PASSWORD": env.text("DB_PASSWORD", env.text("PGPASSWORD")),
        "HOST": env.text("DB_HOST", env.text("PGHOST")),
        "PORT": env.integer(
            "DB_PORT", env.integer("PGPORT", 5432, low=1, high=65535), low=1, high=65535
        ),
    }
    found: dict[str, Any] | None = by_url or (by_parts if by_parts["HOST"] else None)
    return found and _with_connection_options(
        {**found, "OPTIONS": {**_WRITABLE, **found.get("OPTIONS", {})}}
    )


def replica() -> dict[str, Any] | None:
    """Return the read replica that DATABASE_REPLICA_URL names, or None."""
    found = env.database("DATABASE_REPLICA_URL")
    return found and {
        **_with_connection_options(found, "-c default_transaction_read_only=on"),
        "TEST": {"MIRROR": "default"},
    }


def _with_connection_options(found: dict[str, Any], *parameters: str) -> dict[str, Any]:
    """Return a database with the options of its connections; options in its URL win."""
    # A request that waits two seconds for a connection gets a 503. A pool that cannot connect
    # starts afresh after five seconds: by default the pauses between its tries grow to minutes.
    pool = {
        "min_size": min(2, DB_POOL_SIZE),
        "max_size": DB_POOL_SIZE,
        "timeout": 2,
        "reconnect_timeout": 5,
    }
    return {
        **found,
        # A pool keeps the connections itself. It is emptied when one of them turns out to be lost
        # (services/operations/database_connections.py).
        "CONN_MAX_AGE": 0 if DB_POOL_SIZE else DB_CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": not DB_POOL_SIZE,
        "DISABLE_SERVER_SIDE_CURSORS": PGBOUNCER,
        "OPTIONS": {
            **_NETWORK_TIMEOUTS,
            **(
                _BEHIND_PGBOUNCER
                if PGBOUNCER
                else {"options": " ".join((*_TIMEOUTS, _PLANNING, *parameters))}
            ),
            **({"pool": pool} if DB_POOL_SIZE else {}),
            **found.get("OPTIONS", {}),
        },
    }


def databases(main: dict[str, Any]) -> dict[str, Any]:
    """Return `default`, and with a read replica also `reports`, for exports."""
    read_only = replica()
    if read_only is None:
        return {"default": main}
    return {"default": main, "reports": {**read_only, "ENGINE": main["ENGINE"]}}


def sqlite() -> dict[str, Any]:
    """Return SQLite with a write-ahead log and immediate transactions, waiting for the writer."""
    SQLITE_PATH.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SQLITE_PATH,
        # Opening the file and its PRAGMAs cost more than most queries.
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # What is deleted is overwritten: an erased account must not stay in free pages.
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;"
            ),
        },
    }
