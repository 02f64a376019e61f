"""User-Agent Client Hints: what Chromium's browsers say about their device in headers.

They only name a device. Clients choose them, so nothing else may depend on them.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Self

ON_REQUEST = ("Sec-CH-UA-Platform-Version", "Sec-CH-UA-Model")
"""The hints that a browser sends only if an answer asks for them by Accept-CH."""

_STRING = re.compile(r'"([ !#-\[\]-~]{1,64})"')
_MOST_DIGITS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class ClientHints:
    """The hints of a request; each is empty if it was not sent or is malformed."""

    platform: str = ""
    platform_version: str = ""
    model: str = ""
    is_mobile: bool = False

    @classmethod
    def of(cls, meta: Mapping[str, str]) -> Self:
        """Return the hints in the headers of a request; any text at all gives some answer."""
        return cls(
            platform=_string(meta.get("HTTP_SEC_CH_UA_PLATFORM", "")),
            platform_version=_string(meta.get("HTTP_SEC_CH_UA_PLATFORM_VERSION", "")),
            model=_string(meta.get("HTTP_SEC_CH_UA_MODEL", "")),
            is_mobile=meta.get("HTTP_SEC_CH_UA_MOBILE", "").strip() == "?1",
        )

    @property
    def major(self) -> int | None:
        """Return the first number of the version of the platform."""
        digits = self.platform_version.partition(".")[0]
        is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS
        return int(digits) if is_number else None


NO_HINTS = ClientHints()


def _string(header: str) -> str:
    """Return the string in a header (RFC 9651, section 4.2.5), or "" for anything else.

    No name of a device needs a quotation mark or a backslash, so that none is unescaped.
    """
    found = _STRING.fullmatch(header)
    return found[1].strip() if found else ""
