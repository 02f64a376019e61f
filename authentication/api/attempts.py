"""One request in a rate limit: counted by django-ratelimit, given back, or counted elsewhere."""

import dataclasses
import functools
import ipaddress
from typing import Any, NoReturn

from django.conf import settings
from django.core.cache import caches
from django_ratelimit.core import get_usage

from authentication.exceptions import RateLimited
from authentication.utils.client import Address, AnyRequest, client_address
from authentication.utils.metrics import LIMITED

FIELDS_KEY = "authentication.api.limits"
"""Where a request's META holds the RateLimit fields of the answer."""

_ATTEMPT_KEY = "authentication.api.attempts"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclasses.dataclass(frozen=True, slots=True)
class _Count:
    """One request in a count: `wait` is in seconds, `counted` says where it was counted."""

    name: str
    quota: int
    window: int
    count: int
    is_over: bool
    wait: int
    counted: Any

    def fields(self, count: int) -> dict[str, str]:
        """Return the RateLimit fields of an answer (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.name}";r={max(0, self.quota - count)};t={self.wait}',
        }


class CountedRequest:
    """A counted request: given back at most once, or moved to another count.

    Services see it as their AttemptLimit.
    """

    def __init__(
        self, name: str, request: AnyRequest, bucket: str, *, is_counted: bool = True
    ) -> None:
        self.name, self._request, self._bucket = name, request, bucket
        self.is_attributed = False
        """Whether the service has attributed the request to a device or to the address."""
        self._count = _reserve(name, request, bucket, is_counted=is_counted)
        request.META[_ATTEMPT_KEY] = self

    def count(self) -> None:
        """Count a request that was only looked up; raises RateLimited if it is over the limit."""
        self.move(self._bucket)

    @property
    def is_over(self) -> bool:
        """Whether the count that the request is in is over its limit."""
        return self._count is not None and self._count.is_over

    def give_back(self) -> None:
        """Uncount the request: it was no abuse."""
        if self._count is None:
            return
        before, self._count = self._count, None
        left = _cache().uncount(before.counted) if before.counted else None
        self._request.META[FIELDS_KEY] = before.fields(before.count if left is None else left)

    def move(self, bucket: str, name: str = "") -> None:
        """Count the request under another key or name; raises RateLimited if that is over."""
        self.give_back()
        self.name = name or self.name
        self._count = _reserve(self.name, self._request, bucket)
        self.refuse_if_over()

    def refuse_if_over(self) -> None:
        """Raise RateLimited, with `Retry-After` in seconds, if the count is over its limit."""
        if self._count and self.is_over:
            _refuse(self._count)

    def count_for_device(self, digest: str) -> None:
        self.is_attributed = True
        self.move(f"device:{digest}")

    def count_for_address(self) -> None:
        self.is_attributed = True
        self.refuse_if_over()


def attempt_of(request: AnyRequest) -> CountedRequest:
    """Return the attempt that a request was counted as."""
    attempt: CountedRequest = request.META[_ATTEMPT_KEY]
    return attempt


def _reserve(
    name: str, request: AnyRequest, bucket: str, *, is_counted: bool = True
) -> _Count | None:
    """Count a request, or look up whether another one would be over; None without a limit."""
    if not settings.RATELIMIT_ENABLE or _is_exempt(client_address(request.META)):
        return None
    quota, window = _rate(settings.RATE_LIMITS[name])
    usage = get_usage(
        request, group=name, key=lambda *_: bucket, rate=(quota, window), increment=is_counted
    )
    count = usage["count"]
    is_over = count > quota if is_counted else count >= quota
    # The last second of the window is part of it.
    wait = max(1, usage["time_left"] + 1)
    counted = getattr(_cache(), "counted", None) if is_counted else None
    reserved = _Count(name, quota, window, count, is_over, wait, counted)
    request.META[FIELDS_KEY] = reserved.fields(count)
    return reserved


def _refuse(count: _Count) -> NoReturn:
    LIMITED.labels(count.name).inc()
    raise RateLimited(retry_after=count.wait)


def _cache() -> Any:
    return caches[settings.RATELIMIT_USE_CACHE]


def _is_exempt(address: Address | None) -> bool:
    return address is not None and any(
        address in network
        for network in settings.RATELIMIT_ALLOWLIST
        if isinstance(network, ipaddress.IPv4Network) == isinstance(address, ipaddress.IPv4Address)
    )


@functools.cache
def _rate(text: str) -> tuple[int, int]:
    quota, _, period = text.partition("/")
    return int(quota), int(period[:-1] or 1) * _SECONDS[period[-1]]
