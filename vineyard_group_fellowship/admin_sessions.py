"""The admin's sessions: in Redis for speed, in the database for keeps, and in the database alone while Redis fails."""

from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import cached_db
from django.core.cache import caches

from authentication.utils.faults import FAULTS

from .cache import breaker

# A session that was ended while Redis could not be told lives on there for no longer than this.
_CACHED_SECONDS = 300


class _Forgiving:
    """A cache whose faults are misses."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def get(self, key: str) -> Any:
        return self._tried("get", key)

    def set(self, key: str, value: Any, timeout: float) -> None:
        self._tried("set", key, value, min(timeout, _CACHED_SECONDS))

    def delete(self, key: str) -> None:
        self._tried("delete", key)

    def __contains__(self, key: str) -> bool:
        return self._tried("get", key) is not None

    def _tried(self, method: str, *arguments: Any) -> Any:
        if not breaker.is_open:
            try:
                return getattr(self._cache, method)(*arguments)
            except FAULTS:
                breaker.trip()
        return None


class SessionStore(cached_db.SessionStore):
    """Django's cached sessions, on a cache that may fail."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = _Forgiving(caches[settings.SESSION_CACHE_ALIAS])
