"""What the two servers are told by their environment."""

import os
import secrets

from .servers import ROOT

# Emptied, so that neither the shell nor a .env file leads a run to anybody's own data.
_ELSEWHERE = (
    "DATABASE_URL",
    "DB_HOST",
    "PGHOST",
    "REDIS_URL",
    "SQLITE_PATH",
    "GUNICORN_CMD_ARGS",
    "PYTHONPATH",
)


def service_environment(database: str) -> dict[str, str]:
    """Return the service's: its development settings and real hashes, without limits, debugging and mail."""
    sqlite = database.removeprefix("sqlite:///")
    place = {"DATABASE_URL": database} if sqlite == database else {"SQLITE_PATH": sqlite}
    return {
        **_shared(),
        **place,
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings",
        "DJANGO_ENVIRONMENT": "development",
        "SECRET_KEY": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "False",
        "RATELIMIT_ENABLE": "False",
        "SERVER_TIMING": "True",
        # A broker that ends with its process: nothing is sent, nothing is left behind.
        "CELERY_BROKER_URL": "memory://",
    }


def yardstick_environment(database: str) -> dict[str, str]:
    """Return the yardstick's."""
    return {
        **_shared(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings",
        "BARE_DATABASE_URL": database,
    }


def _shared() -> dict[str, str]:
    return {
        **os.environ,
        **dict.fromkeys(_ELSEWHERE, ""),
        "PYTHONPATH": str(ROOT),
        "WEB_CONCURRENCY": "1",
    }
