"""A cache for counters that counts in this process while Redis is down or hangs."""

import dataclasses
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


@dataclasses.dataclass(frozen=True, slots=True)
class Counted:
    """Where one was counted: the key, and whether in this process."""

    key: str
    is_local: bool


class FailoverCache(BaseCache):
    """The cache that LOCATION names; while it fails, this process's memory.

    Django keeps one instance for each thread.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._alias = location
        self._local = LocMemCache("failover", {"OPTIONS": {"MAX_ENTRIES": 200_000}})
        self._answered_locally = False
        self.counted: Counted | None = None
        """Where this thread counted last, with `add` or `incr`."""

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        added = bool(self._try(lambda cache: cache.add(key, value, timeout, version)))
        self.counted = Counted(key, self._answered_locally) if added else None
        return added

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
        count = int(self._try(lambda cache: _increment(cache, key, delta, version)))
        self.counted = Counted(key, self._answered_locally)
        return count

    def decr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self.incr(key, -delta, version)

    def uncount(self, counted: Counted) -> int | None:
        """Take one back where it was counted, never below zero; return the count that is left.

        None if the count is over or its store is down: another store counted others.
        """
        if breaker.is_open and not counted.is_local:
            return None
        cache = self._local if counted.is_local else caches[self._alias]
        try:
            left = int(cache.decr(counted.key))
            # Below zero only if the store lost its counts in between.
            return left if left >= 0 else int(cache.incr(counted.key))
        except ValueError:
            return None
        except FAULTS as fault:
            self._fail_over(fault)
            return None

    def clear(self) -> None:
        self._try(lambda cache: cache.clear())

    def _try(self, call: Callable[[BaseCache], Any]) -> Any:
        if not breaker.is_open:
            try:
                answer = call(caches[self._alias])
            except FAULTS as fault:
                self._fail_over(fault)
            else:
                self._answered_locally = False
                return answer
        self._answered_locally = True
        return call(self._local)

    @staticmethod
    def _fail_over(fault: Exception) -> None:
        breaker.trip()
        logger.warning("cache_failed_over", fault=type(fault).__name__)


def _increment(cache: BaseCache, key: str, delta: int, version: int | None) -> int:
    # Redis may fail between `add` and `incr`; then the count starts here. A decrement never starts
    # one.
    if isinstance(cache, LocMemCache) and delta > 0:
        cache.add(key, 0, _LOCAL_WINDOW_SECONDS, version)
    return cache.incr(key, delta, version)
