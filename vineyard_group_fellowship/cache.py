"""A cache for counters that counts in this process while Redis is down or hangs."""

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
    """The cache that LOCATION names; while it fails, this process's memory."""

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
        return bool(self._try(lambda cache: cache.add(key, value, timeout, version)))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._try(lambda cache: cache.get(key, default, version))

    def set(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        self._try(lambda cache: cache.set(key, value, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._try(lambda cache: cache.delete(key, version)))

    def touch(
        self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._try(lambda cache: cache.touch(key, timeout, version)))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._try(lambda cache: _increment(cache, key, delta, version)))

    def decr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self.incr(key, -delta, version)

    def clear(self) -> None:
        self._try(lambda cache: cache.clear())

    def _try(self, call: Callable[[BaseCache], Any]) -> Any:
        if not breaker.is_open:
            try:
                return call(caches[self._alias])
            except FAULTS as fault:
                breaker.trip()
                logger.warning("cache_failed_over", fault=type(fault).__name__)
        return call(self._local)


def _increment(cache: BaseCache, key: str, delta: int, version: int | None) -> int:
    # Redis may fail between `add` and `incr`; then the count starts here. A decrement never starts
    # one.
    if isinstance(cache, LocMemCache) and delta > 0:
        cache.add(key, 0, _LOCAL_WINDOW_SECONDS, version)
    return cache.incr(key, delta, version)
