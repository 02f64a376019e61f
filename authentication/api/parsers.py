"""Body parsers: JSON and forms, in UTF-8, with a limit on size and depth."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser

from authentication.exceptions import MalformedRequest, PayloadTooLarge, UnsupportedMediaType

MAX_DEPTH = 20

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(r"[][{}]")
_STEP = {"[": 1, "{": 1, "]": -1, "}": -1}


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
            text = stream.read().decode("utf-8")
            if _depth(text) > MAX_DEPTH:
                raise MalformedRequest(f"The body is nested more than {MAX_DEPTH} levels deep.")
            body = json.loads(text, parse_constant=_refuse) if text.strip() else {}
        except (ValueError, RecursionError):
            raise MalformedRequest("The body is not valid JSON in UTF-8.") from None
        if not isinstance(body, dict):
            raise MalformedRequest("The body must be a JSON object.")
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
    if (request.content_params.get("charset") or "utf-8").lower().replace("_", "-") not in {
        "utf-8",
        "utf8",
        "us-ascii",
        "ascii",
    }:
        raise UnsupportedMediaType
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise PayloadTooLarge


def _depth(text: str) -> int:
    # So few brackets cannot be nested too deeply. Nearly every body takes this short way.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += _STEP[bracket]
        deepest = max(deepest, depth)
    return deepest


def _refuse(constant: str) -> None:
    raise ValueError(constant)
