"""The health check."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor, wait

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection

from authentication.utils.crypto import new_jti
from authentication.utils.faults import FAULTS

from .database_connections import drop_lost_connections
from .heartbeat import has_heartbeat

_TIMEOUT_SECONDS = 1.5

# A check that hangs keeps its thread for a while; later checks must not wait for it.
_pool = ThreadPoolExecutor(8, thread_name_prefix="health")


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """The state of each part, without error messages."""

    database: str
    cache: str
    celery: str

    @property
    def status(self) -> str:
        """The overall state: unhealthy without the database, degraded without the cache."""
        if self.database != "connected":
            return "unhealthy"
        return "healthy" if self.cache == "connected" else "degraded"


class HealthService:
    """The health check."""

    @staticmethod
    def check() -> Health:
        """Check all parts at the same time, for at most 1.5 seconds."""
        checks = [_pool.submit(check) for check in (_database, _cache, _celery)]
        wait(checks, timeout=_TIMEOUT_SECONDS)
        return Health(*(it.result() if it.done() else "no answer" for it in checks))


def _database() -> str:
    # Asked twice: the first connection may be one of the pool that broke while it was idle. The
    # second is new.
    return "connected" if _answers() or _answers() else "unavailable"


def _answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        drop_lost_connections(error)
        return False
    finally:
        connection.close()
    return True


def _cache() -> str:
    key, value = f"health:{new_jti()}", "ok"
    try:
        caches["default"].set(key, value, 10)
        found = caches["default"].get(key)
        caches["default"].delete(key)
    except FAULTS:
        return "unavailable"
    return "connected" if found == value else "unavailable"


def _celery() -> str:
    if not settings.CELERY_BROKER_URL:
        return "threads"
    try:
        return "workers active" if has_heartbeat() else "no workers"
    except FAULTS:
        return "unknown"
