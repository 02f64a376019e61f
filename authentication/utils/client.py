"""The client of a request: IP address, user agent and correlation ID."""

import dataclasses
import ipaddress
import itertools
import re
from collections.abc import Mapping
from typing import Self

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from .client_hints import NO_HINTS, ClientHints
from .crypto import pseudonym

AnyRequest = HttpRequest | Request
"""Django's request, or DRF's request, which delegates unknown attributes to Django's."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Without brackets an IPv6 address has no port: its last group would be ambiguous (RFC 3986, 3.2.2).
_WITH_PORT = re.compile(r"(?P<v4>[0-9.]{7,15}):[0-9]{1,5}|\[(?P<v6>[^\[\]]*)\](?::[0-9]{1,5})?")
_USER_AGENT_LENGTH = 512

DEVICE_COOKIE = "device"
_PAIRS = re.compile(r"[;,]")
_COOKIES_OF_A_NAME = 5

CORRELATION_KEY = "authentication.correlation_id"
"""The key of the correlation ID in `request.META`.

Clients cannot set it: their headers arrive as `HTTP_*`.
"""

CORRELATION_HEADER = "request_correlation_id"
"""The header of a task's message that holds the correlation id of the request that caused it."""

LOG_FIELDS_KEY = "authentication.log_facts"
"""The key in `request.META` of the fields that are added to every log line of the request."""


@dataclasses.dataclass(frozen=True, slots=True)
class ClientInfo:
    """The client of a request, as services see it: they never receive the request itself."""

    ip_address: str | None = None
    user_agent: str = ""
    hints: ClientHints = NO_HINTS
    """What a browser says about its device beside the user agent, for the device's name only."""
    correlation_id: str = ""
    device_id: str = dataclasses.field(default="", repr=False)
    """What the device is known by (X-Device-Id, or the cookie `device`); a secret."""
    refresh_cookies: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    """The refresh tokens in the cookies, which a sign-in replaces; secrets."""

    @classmethod
    def of(cls, request: AnyRequest) -> Self:
        """Return the client of a request; the user agent is cut at 512 characters."""
        address = client_address(request.META)
        return cls(
            ip_address=str(address) if address else None,
            user_agent=replace_control_characters(request.META.get("HTTP_USER_AGENT", ""))[
                :_USER_AGENT_LENGTH
            ],
            hints=ClientHints.of(request.META),
            correlation_id=request.META.get(CORRELATION_KEY, ""),
            device_id=request.META.get("HTTP_X_DEVICE_ID")
            or ".".join(cookie_values(request, DEVICE_COOKIE)),
            refresh_cookies=refresh_cookies_of(request),
        )

    def network(self) -> str:
        """Return the key that rate limits count the address under (`network_key`)."""
        return network_key(parse_ip(self.ip_address or ""))

    def digest(self) -> str:
        """Return a keyed hash of the network and the user agent, in hexadecimal."""
        return pseudonym("client", f"{self.network()} {self.user_agent}")


def refresh_cookies_of(request: AnyRequest) -> tuple[str, ...]:
    """Return the refresh tokens in the cookies of a request, five at most."""
    if not settings.ENABLE_COOKIE_REFRESH_TOKEN:
        return ()
    return cookie_values(request, settings.REFRESH_TOKEN_COOKIE_NAME)


def cookie_values(request: AnyRequest, name: str) -> tuple[str, ...]:
    """Return the different values of a cookie in a request, in their order, five at most.

    A browser sends several cookies of one name if a parent domain or another path has one too (RFC
    6265, section 5.4), and an HTTP/2 proxy may pass several Cookie headers, which a server joins by
    a semicolon or a comma. Our values hold neither.
    """
    pairs = (pair.partition("=") for pair in _PAIRS.split(request.META.get("HTTP_COOKIE", "")))
    values = (value.strip().strip('"') for key, _, value in pairs if key.strip() == name)
    return tuple(itertools.islice(dict.fromkeys(filter(None, values)), _COOKIES_OF_A_NAME))


def is_browser(request: AnyRequest) -> bool:
    """Return whether a browser sent the request.

    Browsers send Origin or Sec-Fetch-Site, which scripts can neither set nor remove. Other
    Sec-Fetch-* headers are no sign of one: the `fetch` of Node.js sends Sec-Fetch-Mode.
    """
    return "HTTP_ORIGIN" in request.META or "HTTP_SEC_FETCH_SITE" in request.META


def client_address(meta: Mapping[str, str]) -> Address | None:
    """Return the client's IP address, or None if it is malformed.

    A forwarding header is read only if the settings name the proxy that sets it. Otherwise a client
    could choose its own address.
    """
    if settings.CLIENT_IP_HEADER:
        return parse_ip(meta.get("HTTP_" + settings.CLIENT_IP_HEADER.upper().replace("-", "_"), ""))
    if settings.TRUSTED_PROXY_COUNT:
        hops = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
        return (
            parse_ip(hops[-settings.TRUSTED_PROXY_COUNT])
            if len(hops) >= settings.TRUSTED_PROXY_COUNT
            else None
        )
    return parse_ip(meta.get("REMOTE_ADDR", ""))


def network_key(address: Address | None) -> str:
    """Return the key that rate limits count an address under.

    An IPv4 address counts alone, IPv6 addresses per /64, malformed addresses all as "unknown".
    """
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def replace_control_characters(text: str) -> str:
    """Replace control, bidirectional and surrogate characters by U+FFFD.

    They could forge log lines, and PostgreSQL does not store NUL or surrogates.
    """
    return _UNPRINTABLE.sub("\ufffd", text)


def parse_ip(text: str) -> Address | None:
    """Return the IP address in a text, or None. IPv4-mapped IPv6 becomes IPv4.

    A port is dropped: some proxies add it (`198.51.100.7:443`, `[2001:db8::7]:443`).
    """
    host = text.strip()
    if with_port := _WITH_PORT.fullmatch(host):
        host = with_port["v4"] or with_port["v6"]
    try:
        # A zone (fe80::1%eth0) names a network interface of the proxy, not the client.
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
