"""Whether the service can do its work."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor, wait

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection

from authentication.utils.crypto import new_jti
from authentication.utils.faults import FAULTS

from .database_connections import drop_lost_connections
from .heartbeat import has_heartbeat

_PATIENCE_SECONDS = 1.5

# A check that hangs keeps its thread for a while; the next ones must not wait for it.
_pool = ThreadPoolExecutor(8, thread_name_prefix="health")


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """What each part says of itself; no words of an exception's."""

    database: str
    cache: str
    celery: str

    @property
    def status(self) -> str:
        """The whole, in a word: unhealthy without its database, degraded without its cache."""
        if self.database != "connected":
            return "unhealthy"
        return "healthy" if self.cache == "connected" else "degraded"


class HealthService:
    """Whether the service can do its work."""

    @staticmethod
    def check() -> Health:
        """Ask every part, all at once, for no longer than a second and a half."""
        asked = [_pool.submit(ask) for ask in (_database, _cache, _celery)]
        wait(asked, timeout=_PATIENCE_SECONDS)
        return Health(*(part.result() if part.done() else "no answer" for part in asked))


def _database() -> str:
    # A connection of the pool's that broke while it lay there says nothing of the database: after
    # it comes a new one.
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
