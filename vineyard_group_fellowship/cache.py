"""A cache for counters that goes on counting in this process while Redis is down or hung."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache

from authentication.utils.faults import FAULTS, Breaker

_LOCAL_WINDOW_SECONDS = 3600

logger = structlog.get_logger(__name__)


breaker = Breaker()
"""Of the cache's Redis, for all users of the cache in this process."""


class FailoverCache(BaseCache):
    """The cache named by LOCATION; this process's memory while that one fails (contract 9)."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._alias = location
        self._local = LocMemCache("failover", {"OPTIONS": {"MAX_ENTRIES": 200_000}})

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        return bool(self._tried(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._tried(lambda cache: cache.get(key, default, version))

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self._tried(lambda cache: cache.set(key, value, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._tried(lambda cache: cache.delete(key, version)))

    def touch(
        self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._tried(lambda cache: cache.touch(key, timeout, version)))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._tried(lambda cache: _counted(cache, key, delta, version)))

    def decr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self.incr(key, -delta, version)

    def clear(self) -> None:
        self._tried(lambda cache: cache.clear())

    def _tried(self, call: Callable[[BaseCache], Any]) -> Any:
        if not breaker.is_open:
            try:
                return call(caches[self._alias])
            except FAULTS as fault:
                breaker.trip()
                logger.warning("cache_failed_over", fault=type(fault).__name__)
        return call(self._local)


def _counted(cache: BaseCache, key: str, delta: int, version: int | None) -> int:
    # The server may fail between a counter's start and its next step: then the count starts here.
    # Nothing is taken from a count that is not here.
    if isinstance(cache, LocMemCache) and delta > 0:
        cache.add(key, 0, _LOCAL_WINDOW_SECONDS, version)
    return cache.incr(key, delta, version)
