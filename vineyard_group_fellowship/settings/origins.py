"""Origins in the form in which browsers and app shells send them (RFC 6454, section 6.1)."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import idna

from .env import env

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Pages inside apps and browser extensions. A closed list, so that a typing error stops the start.
APP_SCHEMES = frozenset(
    {
        "app",
        "capacitor",
        "chrome-extension",
        "ionic",
        "moz-extension",
        "safari-web-extension",
        "tauri",
    }
)
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_APP_HOST = re.compile(r"[A-Za-z0-9._-]+")
_HEADER = r"[a-z0-9!#$%&'*+.^_`|~-]+"


def origin_of(text: str) -> str:
    """Return an origin as browsers send it: lower case, punycode, without the default port.

    Raises ValueError, with the reason, for what no browser sends as an origin.
    """
    parts = urlsplit(text)
    if not (parts.scheme and parts.netloc):
        raise ValueError("it needs a scheme and a host")
    if parts.path or parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("an origin ends after the host and the port")
    if "@" in parts.netloc or "*" in parts.netloc:
        raise ValueError("an origin has neither a user name nor a wildcard")
    if parts.scheme in APP_SCHEMES:
        # The hosts of these schemes are opaque: case matters, and there are no ports.
        if not _APP_HOST.fullmatch(parts.netloc):
            raise ValueError("the host of an app has letters, digits, dots and dashes")
        return f"{parts.scheme}://{parts.netloc}"
    if parts.scheme not in _DEFAULT_PORTS:
        raise ValueError(f"{parts.scheme}:// is neither http, https nor the scheme of an app")
    port = _port_of(parts)
    host = _host_of(parts.hostname or "")
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")


def origins(name: str, default: str) -> list[str]:
    """Return a list of exact origins, such as https://app.example.org, without duplicates."""
    found: dict[str, None] = {}
    for text in env.items(name, default):
        try:
            found[origin_of(text)] = None
        except ValueError as error:
            env.refuse(
                f"{name}: {text!r} is not an origin such as https://app.example.org: {error}"
            )
    return list(found)


def header_names(name: str, default: tuple[str, ...]) -> list[str]:
    """Return a list of header names in lower case."""
    found = [item.lower() for item in env.items(name, ",".join(default))]
    for item in found:
        # With credentials browsers take the wildcard for a header named *.
        if item == "*" or not re.fullmatch(_HEADER, item):
            env.refuse(f"{name}: {item!r} is not the name of a header")
    return list(dict.fromkeys(found))


def _port_of(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port is a number up to 65535") from None
    return None if port == _DEFAULT_PORTS[parts.scheme] else port


def _host_of(host: str) -> str:
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError:
            raise ValueError("the host is not an IPv6 address") from None
    if not host.isascii():
        try:
            # UTS 46, as browsers do.
            host = idna.encode(host, uts46=True, transitional=False).decode("ascii")
        except idna.IDNAError:
            raise ValueError("the host is no valid international name") from None
    if not _HOST.fullmatch(host):
        raise ValueError("the host is not a name of letters, digits, dots and dashes")
    return host
