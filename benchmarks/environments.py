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


def service_environment(database: str) -> dict[str, str]:
    """Return the service's environment: development, but no rate limits, debugging or mail."""
    sqlite = database.removeprefix("sqlite:///")
    location = {"DATABASE_URL": database} if sqlite == database else {"SQLITE_PATH": sqlite}
    return {
        **_shared(),
        **location,
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings",
        "DJANGO_ENVIRONMENT": "development",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "False",
        "RATELIMIT_ENABLE": "False",
        "SERVER_TIMING": "True",
        # An in-memory broker: no task is run and nothing is left behind.
        "CELERY_BROKER_URL": "memory://",
    }


def baseline_environment(database: str) -> dict[str, str]:
    """Return the baseline's environment."""
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
