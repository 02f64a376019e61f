"""PostgreSQL and Redis for tests that start processes or many threads."""

import os
from urllib.parse import urlsplit

from django.core.cache import caches
from django.db import connection
from django_redis import get_redis_connection
from pytest_django import Settings

from vineyard_group_fellowship.settings import base

from .conftest import forget_cached

QUEUES = ("mail", "checks", "upkeep")


def use_real_servers(settings: Settings) -> None:
    """Require PostgreSQL and Redis; configure what processes of the service are told as well.

    Processes that a test starts use the keys of production. Tests that run side by side therefore
    get a Redis number each: the one of REDIS_URL, the one below it, and so on.
    """
    assert connection.vendor == "postgresql", "This test needs PostgreSQL: set DATABASE_URL."
    assert "django_redis" in type(caches["default"]).__module__, (
        "This test needs Redis: set REDIS_URL."
    )
    settings.CACHES = base.caches(_own_redis(str(settings.CACHES["default"]["LOCATION"])))
    forget_cached()
    # Tasks that an earlier test left to a broker.
    get_redis_connection("default").delete("unacked", "unacked_index", *QUEUES)
    settings.RATELIMIT_ENABLE = False
    settings.HIBP_ENABLED = False


def _own_redis(url: str) -> str:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) - worker
    assert number >= 0, f"REDIS_URL must name at least number {worker}: each process takes one."
    return parts._replace(path=f"/{number}").geturl()
