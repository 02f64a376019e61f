"""The list of the API's endpoints."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from .base import PublicView

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


@extend_schema(exclude=True)
class IndexView(PublicView):
    """Lists the endpoints by name, and where they are described.

    A part of a path that differs is a template's variable (RFC 6570), such as `{session_id}`.
    """

    def get(self, request: Request) -> Response:
        documents = {name: reverse(name) for name in ("docs", "redoc", "schema", "problems")}
        return Response({"documentation": documents, "endpoints": dict(_endpoints())})


def _endpoints() -> Iterator[tuple[str, str]]:
    for name, path in _routes(get_resolver().url_patterns, "/"):
        if path.startswith("/api/v1/") and name != "index":
            yield name, path


def _routes(patterns: list[URLPattern | URLResolver], start: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = start + _PARAMETER.sub(r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, path)
        elif pattern.name:
            yield pattern.name, path
