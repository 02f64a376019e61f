"""Client of the Pwned Passwords range API, which searches breached passwords by SHA-1 prefix."""

import re
import time

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

_CONNECT_SECONDS, _READ_SECONDS, _WHOLE_SECONDS = 1.0, 1.0, 5.0
# A padded response has about 1,000 lines of 40 characters.
_LARGEST_BYTES = 1024 * 1024
_LINE = re.compile(r"^([0-9A-F]{35}):(\d+)\s*$", re.MULTILINE)


class Unavailable(Exception):  # noqa: N818 -- the name of the state
    """The API did not answer, or its response was too slow, too long or malformed."""


def breached_suffixes(prefix: str) -> list[str]:
    """Return the breached SHA-1 hashes that start with `prefix`, without the prefix.

    `prefix` has 5 hexadecimal digits, each suffix the other 35. The response is padded, so that its
    length does not reveal the prefix to an eavesdropper.

    Raises Unavailable if the API gives no valid response within 5 seconds.
    """
    try:
        text = _fetch(f"{settings.HIBP_API_URL}/{prefix}")
    except (requests.RequestException, HTTPError, OSError, UnicodeDecodeError) as error:
        raise Unavailable(type(error).__name__) from None
    found = _LINE.findall(text)
    if not found:
        raise Unavailable("no lines")
    # Padding lines have a count of zero.
    return [suffix for suffix, count in found if int(count)]


def _fetch(url: str) -> str:
    headers = {"Add-Padding": "true", "User-Agent": "vineyard-group-fellowship-authentication"}
    started, body = time.monotonic(), b""
    with requests.get(
        url,
        headers=headers,
        timeout=(_CONNECT_SECONDS, _READ_SECONDS),
        stream=True,
        allow_redirects=False,
    ) as answer:
        if answer.status_code != requests.codes.ok:
            raise Unavailable(str(answer.status_code))
        # read1 returns the bytes that have arrived. read waits for the full amount, so a slow
        # server could exceed the time limit.
        while chunk := answer.raw.read1(16_384, decode_content=True):
            body += chunk
            if len(body) > _LARGEST_BYTES or time.monotonic() - started > _WHOLE_SECONDS:
                raise Unavailable("too long")
    return body.decode("ascii")
