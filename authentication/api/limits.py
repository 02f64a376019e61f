"""Rate limits of endpoints, counted by django-ratelimit."""

import functools
import ipaddress
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django_ratelimit.core import get_usage
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.exceptions import RateLimited
from authentication.utils.client import Address, AnyRequest, client_address, network_key
from authentication.utils.metrics import LIMITED

Handler = Callable[..., Response]
Key = Callable[[Any], str]

FIELDS_KEY = "authentication.api.limits"
"""Where a request's META holds the RateLimit fields of the answer."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def by_address(request: AnyRequest) -> str:
    """Count by the client's address."""
    return network_key(client_address(request.META))


def by_user(request: Request) -> str:
    """Count by the signed-in user."""
    return str(request.user.pk)


def limited(name: str, *, key: Key = by_address) -> Callable[[Handler], Handler]:
    """Count the calls of a view's method under a name of RATE_LIMITS; refuse calls over the limit.

    A refused call raises RateLimited, with `Retry-After` in seconds. Every answer has the RateLimit
    fields (draft-ietf-httpapi-ratelimit-headers). The method keeps the name in its attribute
    `limit`, which the OpenAPI schema reads.
    """

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def counted(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            count(name, request, key)
            return handler(view, request, *args, **kwargs)

        counted.limit = name  # type: ignore[attr-defined]
        return counted

    return decorate


def count(name: str, request: AnyRequest, key: Key = by_address) -> None:
    """Count a request under a name of RATE_LIMITS; raise RateLimited if it is over the limit."""
    if not settings.RATELIMIT_ENABLE or _is_exempt(client_address(request.META)):
        return
    quota, window = _rate(settings.RATE_LIMITS[name])
    bucket = key(request)
    usage = get_usage(
        request, group=name, key=lambda *_: bucket, rate=(quota, window), increment=True
    )
    # The last second of the window is part of it.
    wait = max(1, usage["time_left"] + 1)
    request.META[FIELDS_KEY] = {
        "RateLimit-Policy": f'"{name}";q={quota};w={window}',
        "RateLimit": f'"{name}";r={max(0, quota - usage["count"])};t={wait}',
    }
    if usage["should_limit"]:
        LIMITED.labels(name).inc()
        raise RateLimited(retry_after=wait)


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
