"""The admin's sessions: in the database, cached in Redis while it works."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.base import UpdateError
from django.core.cache import caches

from authentication.services.operations import is_database_fault
from authentication.utils.faults import FAULTS

from .cache import breaker

# The longest time for which a session that ended while Redis failed stays in Redis.
_CACHED_SECONDS = 300


class _FaultTolerantCache:
    """A cache that answers a fault as a miss."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def get(self, key: str) -> Any:
        return self._try("get", key)

    def set(self, key: str, value: Any, timeout: float) -> None:
        self._try("set", key, value, min(timeout, _CACHED_SECONDS))

    def delete(self, key: str) -> None:
        self._try("delete", key)

    def __contains__(self, key: str) -> bool:
        return self._try("get", key) is not None

    def _try(self, method: str, *arguments: Any) -> Any:
        if not breaker.is_open:
            try:
                return getattr(self._cache, method)(*arguments)
            except FAULTS:
                breaker.trip()
        return None


class SessionStore(cached_db.SessionStore):
    """Django's cached database sessions, on a cache that may fail."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = _FaultTolerantCache(caches[settings.SESSION_CACHE_ALIAS])

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's signature
        """Store the session; a fault of the database is raised as it is.

        Django takes it for a session that was deleted meanwhile, and answers 400.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            if is_database_fault(error.__context__):
                raise error.__context__ from None  # type: ignore[misc]
            raise
