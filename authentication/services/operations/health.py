"""The health check."""

import dataclasses
import datetime as dt
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches
from django.db import Error, connection
from django.utils import timezone
from redis.exceptions import ResponseError

from authentication.models import OutgoingEmail
from authentication.utils.crypto import new_jti
from authentication.utils.faults import FAULTS

from .database_connections import statements_within
from .database_state import CONNECTED, UNAVAILABLE, state_of_database
from .heartbeat import JOBS, count_processes
from .key_order import announce_keys

NO_ANSWER = "no answer"
REFUSES_WRITES = "refuses writes"
MAIL_IS_LATE_AFTER = dt.timedelta(minutes=5)

_Found = TypeVar("_Found")

_TIMEOUT_SECONDS = 1.5
_STATEMENT_MS = 1_000

# A check that hangs keeps its thread for a while; later checks must not wait for it.
_pool = ThreadPoolExecutor(8, thread_name_prefix="health")


@dataclasses.dataclass(frozen=True, slots=True)
class Health:
    """The state of each part, without error messages."""

    database: str
    cache: str
    celery: dict[str, str]
    """The states of mailer, worker and beat."""
    processes: dict[str, int]
    """How many of each are alive; empty if that is not known."""

    @property
    def status(self) -> str:
        """The overall state: unhealthy without the database, degraded without any other part."""
        if self.database != CONNECTED:
            return "unhealthy"
        is_whole = self.cache == CONNECTED and not {"missing", "late"} & set(self.celery.values())
        return "healthy" if is_whole else "degraded"

    @property
    def is_available(self) -> bool:
        """Whether requests get their answers, with or without the processes of Celery."""
        return self.database == CONNECTED and self.cache == CONNECTED


class HealthService:
    """The health check."""

    @staticmethod
    def check(*, spares_redis: bool = False) -> Health:
        """Check all parts at the same time, for at most 1.5 seconds.

        With `spares_redis`, a Redis that failed a moment ago is not asked again: a page for people
        must not wait each time.
        """
        return check_health(spares_redis=spares_redis)


def check_health(*, spares_redis: bool = False) -> Health:
    """Check all parts at the same time, for at most 1.5 seconds; see HealthService."""
    limits: Any = caches["limits"]
    is_spared = spares_redis and limits.is_failed_over
    database = _pool.submit(_database)
    cache = _pool.submit(str, UNAVAILABLE) if is_spared else _pool.submit(_cache)
    processes = _pool.submit(dict) if is_spared else _pool.submit(_processes)
    checks: tuple[Future[Any], ...] = (database, cache, processes)
    wait(checks, timeout=_TIMEOUT_SECONDS)
    state, has_late_mail = _result(database, (NO_ANSWER, False))
    alive = _result(processes, {})
    return Health(
        database=state,
        cache=_result(cache, NO_ANSWER),
        celery=_states(alive, has_late_mail=has_late_mail),
        processes=alive,
    )


def _result(check: Future[_Found], default: _Found) -> _Found:
    return check.result() if check.done() else default


def _database() -> tuple[str, bool]:
    """Return the state of the database, and whether a mail is late."""
    try:
        state = state_of_database()
        return state, state == CONNECTED and _has_late_mail()
    finally:
        connection.close()


def _has_late_mail() -> bool:
    late = OutgoingEmail.objects.due(at=timezone.now() - MAIL_IS_LATE_AFTER)
    try:
        with statements_within(_STATEMENT_MS):
            return late.exists()
    except Error:
        return False


def _cache() -> str:
    key, value = f"health:{new_jti()}", "ok"
    try:
        caches["default"].set(key, value, 10)
        found = caches["default"].get(key)
        caches["default"].delete(key)
        # Every web server is asked for its health; workers and beat write heartbeats.
        announce_keys()
    except FAULTS as fault:
        # Full, a replica, without enough replicas, or unable to save.
        is_refused = isinstance(fault, ResponseError) or isinstance(fault.__cause__, ResponseError)
        return REFUSES_WRITES if is_refused else UNAVAILABLE
    return CONNECTED if found == value else UNAVAILABLE


def _processes() -> dict[str, int]:
    """Return how many of each process are alive; nothing if that cannot be known."""
    if not settings.CELERY_BROKER_URL:
        return {}
    try:
        return count_processes()
    except FAULTS:
        return {}


def _states(alive: dict[str, int], *, has_late_mail: bool) -> dict[str, str]:
    unknown = "unknown" if settings.CELERY_BROKER_URL else "threads"
    states = {name: ("active" if alive[name] else "missing") if alive else unknown for name in JOBS}
    # Whatever is said of its heartbeat: it sends nothing.
    if has_late_mail and states["mailer"] != "missing":
        states["mailer"] = "late"
    return states
