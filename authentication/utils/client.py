"""What the service may know of who sends a request."""

import dataclasses
import ipaddress
import re
from collections.abc import Mapping
from typing import Self

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

AnyRequest = HttpRequest | Request
"""Django's request or DRF's, which passes on what it does not have itself."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_USER_AGENT_LENGTH = 512

CORRELATION_KEY = "authentication.correlation_id"
"""Where a request's META holds its correlation id; no client can write this name."""

CORRELATION_HEADER = "request_correlation_id"
"""The header of a task's message that holds the correlation id of the request that caused it."""

FACTS_KEY = "authentication.log_facts"
"""Where it holds what the log lines of a request say of it."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClientInfo:
    """The sender of a request, as far as a service method needs it."""

    ip_address: str | None = None
    user_agent: str = ""
    correlation_id: str = ""

    @classmethod
    def of(cls, request: AnyRequest) -> Self:
        """Return the sender of a Django request."""
        address = address_of(request.META)
        return cls(
            ip_address=str(address) if address else None,
            user_agent=printable(request.META.get("HTTP_USER_AGENT", ""))[:_USER_AGENT_LENGTH],
            correlation_id=request.META.get(CORRELATION_KEY, ""),
        )


def is_browser(request: AnyRequest) -> bool:
    """Return whether a browser sends this: page scripts can neither forge nor drop these headers (contract 1)."""
    return "HTTP_ORIGIN" in request.META or any(
        name.startswith("HTTP_SEC_FETCH_") for name in request.META
    )


def address_of(meta: Mapping[str, str]) -> Address | None:
    """Return the client's address as the edge in front of us reports it; None if that is no address.

    What a client writes into a header counts only where a trusted proxy has rewritten it (contract
    9).
    """
    if settings.CLIENT_IP_HEADER:
        return parsed(meta.get("HTTP_" + settings.CLIENT_IP_HEADER.upper().replace("-", "_"), ""))
    if settings.TRUSTED_PROXY_COUNT:
        hops = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
        return (
            parsed(hops[-settings.TRUSTED_PROXY_COUNT])
            if len(hops) >= settings.TRUSTED_PROXY_COUNT
            else None
        )
    return parsed(meta.get("REMOTE_ADDR", ""))


def bucket_of(address: Address | None) -> str:
    """Return whom to count an address as: itself, its /64 for IPv6, one bucket for all that is malformed."""
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def printable(text: str) -> str:
    """Return a text fit for a log and for PostgreSQL: no control, direction or surrogate characters."""
    return _UNPRINTABLE.sub("\ufffd", text)


def parsed(text: str) -> Address | None:
    """Return the address a text holds, a mapped IPv4 as IPv4; None if it holds none."""
    try:
        # A zone (fe80::1%eth0) names an interface of the proxy's, not the client.
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
