"""Faults of Redis, and a circuit breaker that spares a server which fails."""

import time

from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

REDIS_FAULTS = (RedisError, ConnectionInterrupted)
FAULTS = (*REDIS_FAULTS, OSError)
"""What a cache raises when Redis refuses, hangs or is gone."""

PAUSE_SECONDS = 10.0


class Breaker:
    """A circuit breaker: a hung server costs one request its timeout, not every request."""

    def __init__(self, pause: float = PAUSE_SECONDS) -> None:
        self._pause = pause
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the server must not be asked now."""
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        """Stop asking the server for the pause."""
        self._open_until = time.monotonic() + self._pause

    def reset(self) -> None:
        """Ask the server again at once."""
        self._open_until = 0.0
