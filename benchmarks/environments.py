"""Environment variables of the two servers."""

import os
import secrets

from .servers import ROOT

# Emptied, so that neither the shell nor a .env file leads a run to real data.
_EMPTIED = (
    "DATABASE_URL",
    "DB_HOST",
    "PGHOST",
    "REDIS_URL",
    "SQLITE_PATH",
    "GUNICORN_CMD_ARGS",
    "PYTHONPATH",
)


_LIMITS = ("LOGIN", "TOKEN_REFRESH", "TOKEN_VERIFY")


def service_environment(database: str) -> dict[str, str]:
    """Return the service's environment: development, without debugging and mail.

    Requests are counted in limits that none reaches.
    """
    sqlite = database.removeprefix("sqlite:///")
    location = {"DATABASE_URL": database} if sqlite == database else {"SQLITE_PATH": sqlite}
    return {
        **_shared(),
        **location,
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "DJANGO_SETTINGS_MODULE": "benchmarks.service_settings",
        "DJANGO_ENVIRONMENT": "development",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "False",
        **{f"RATELIMIT_{name}": "999999999/h" for name in _LIMITS},
        "SERVER_TIMING": "True",
        # An in-memory broker: no task is run and nothing is left behind.
        "CELERY_BROKER_URL": "memory://",
    }


def yardstick_environment(database: str) -> dict[str, str]:
    """Return the yardstick's environment."""
    return {
        **_shared(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings",
        "BARE_DATABASE_URL": database,
    }


def _shared() -> dict[str, str]:
    return {
        **os.environ,
        **dict.fromkeys(_EMPTIED, ""),
        "PYTHONPATH": str(ROOT),
        "WEB_CONCURRENCY": "1",
    }
