"""A cache for counters that counts in this process while Redis is down or hangs."""

import dataclasses
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis.commands.core import Script

from authentication.utils.faults import FAULTS, Breaker

logger = structlog.get_logger(__name__)

# The time to live is set in the same step: a counter without one would never end.
_COUNT = Script(
    None,  # type: ignore[arg-type]  # the client is given at each call
    b"""
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return count
    """,
)

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
        """Where this thread counted last, with `count`."""

    @property
    def is_failed_over(self) -> bool:
        """Whether Redis failed a moment ago and is not asked."""
        return breaker.is_open

    def count(self, key: str, seconds: float) -> int:
        """Add one to a counter, in one round trip, and return the count.

        A counter that does not exist begins at one and ends after `seconds`.
        """
        count = int(self._try(lambda cache: _count(cache, key, seconds)))
        self.counted = Counted(key, self._answered_locally)
        return count

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
        return int(self._try(lambda cache: cache.incr(key, delta, version)))

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


class RateLimitCache(FailoverCache):
    """The cache of django-ratelimit, which adds a counter and, if it exists, asks a second time.

    Here `add` does both at once, and `incr` or `get` returns the count that it found.
    """

    def add(
        self,
        key: str,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        # It adds a 1 to count, and a 0 to look the counter up.
        self._found = self.count(key, timeout or 0) if value else int(super().get(key, 0))
        return bool(self._found == value)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return self._found

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._found


def _count(cache: Any, key: str, seconds: float) -> int:
    if isinstance(cache, LocMemCache):
        cache.add(key, 0, seconds)
        try:
            return cache.incr(key)
        except ValueError:  # The count expired a moment ago.
            cache.set(key, 1, seconds)
            return 1
    client = cache.client
    arguments = {"keys": [client.make_key(key)], "args": [int(seconds * 1000)]}
    return int(_COUNT(**arguments, client=client.get_client(write=True)))
