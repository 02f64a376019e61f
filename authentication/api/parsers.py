"""Body parsers: JSON and forms, in UTF-8, with a limit on size and depth."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser

from authentication.exceptions import MalformedRequest, UnsupportedMediaType
from authentication.utils.client import replace_control_characters

MAX_DEPTH = 20

# What decides the depth: an escaped character, a quotation mark, a bracket. No match looks further
# than two characters, so that a text is scanned once, whatever it holds.
_MARKS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}


class JSONBodyParser(JSONParser):
    """Reads a JSON object (RFC 8259) that is nested MAX_DEPTH levels at most."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        _check(parser_context)
        try:
            # PowerShell and others begin with a byte-order mark, which RFC 8259 allows to ignore.
            text = stream.read().decode("utf-8-sig")
            if _depth(text) > MAX_DEPTH:
                raise MalformedRequest(
                    _("The body is nested more than {depth} levels deep.").format(depth=MAX_DEPTH)
                )
            body = json.loads(text, parse_constant=_refuse) if text.strip() else {}
        except (ValueError, RecursionError):
            raise MalformedRequest(_("The body is not valid JSON in UTF-8.")) from None
        if not isinstance(body, dict):
            raise MalformedRequest(_("The body must be a JSON object."))
        return body


class FormBodyParser(FormParser):
    """Reads a URL-encoded form."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _check(parser_context)
        return super().parse(stream, media_type, parser_context)


class MultiPartBodyParser(MultiPartParser):
    """Reads a multipart/form-data form."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        _check(parser_context)
        return super().parse(stream, media_type, parser_context)


def _check(parser_context: Mapping[str, Any] | None) -> None:
    request = (parser_context or {})["request"]
    # Django accepts every codec of Python, also those that are no character sets (bz2, rot13).
    charset = (request.content_params.get("charset") or "utf-8").lower().replace("_", "-")
    if charset not in _CHARSETS:
        raise UnsupportedMediaType
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in {"", "identity"}:
        name = replace_control_characters(encoding)[:40]
        raise UnsupportedMediaType(
            _(
                "We do not read bodies with Content-Encoding: {name}. Please send them as they are."
            ).format(name=name),
            # RFC 9110, section 12.5.3: what the server would have accepted.
            headers={"Accept-Encoding": "identity"},
        )


def _depth(text: str) -> int:
    # So few brackets cannot be nested too deeply. Nearly every body takes this short way.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    in_string = False
    for mark in _MARKS.findall(text):
        if mark == '"':
            in_string = not in_string
        elif not in_string and mark in _STEP:
            depth += _STEP[mark]
            deepest = max(deepest, depth)
    return deepest


def _refuse(constant: str) -> None:
    raise ValueError(constant)
