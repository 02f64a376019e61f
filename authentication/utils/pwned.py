"""The range API of Have I Been Pwned: which passwords, by the beginning of their SHA-1, are known from breaches."""

import re
import time

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError

_CONNECT_SECONDS, _READ_SECONDS, _WHOLE_SECONDS = 1.0, 1.0, 5.0
# A padded answer has about a thousand lines of forty characters.
_LARGEST_BYTES = 1024 * 1024
_LINE = re.compile(r"^([0-9A-F]{35}):(\d+)\s*$", re.MULTILINE)


class Unavailable(Exception):  # noqa: N818 -- it says what the API is
    """The API was refused, hung, too slow, too long, or made no sense."""


def breached_suffixes(prefix: str) -> list[str]:
    """Return the last 35 characters of every known SHA-1 that begins with five given characters.

    The answer is padded, so that its length does not tell what was asked.

    Raises Unavailable.
    """
    try:
        text = _fetched(f"{settings.HIBP_API_URL}/{prefix}")
    except (requests.RequestException, HTTPError, OSError, UnicodeDecodeError) as error:
        raise Unavailable(type(error).__name__) from None
    found = _LINE.findall(text)
    if not found:
        raise Unavailable("no lines")
    # Padding lines have a count of zero.
    return [suffix for suffix, count in found if int(count)]


def _fetched(url: str) -> str:
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
        # read1 returns what has arrived; the others wait for as much as was asked for, however
        # slowly it drips.
        while chunk := answer.raw.read1(16_384, decode_content=True):
            body += chunk
            if len(body) > _LARGEST_BYTES or time.monotonic() - started > _WHOLE_SECONDS:
                raise Unavailable("too long")
    return body.decode("ascii")
