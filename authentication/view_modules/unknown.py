"""404 for unknown paths, and the pages of problem types."""

from typing import Any

from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.exceptions import NotFound, Problem

from .base import PublicView


@extend_schema(exclude=True)
class UnknownView(PublicView):
    """Answers 404 for each path without a view of its own."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(_hint(request.path_info))


@extend_schema(exclude=True)
class ProblemView(PublicView):
    """Explains the `type` of a problem."""

    def get(self, request: Request, code: str) -> Response:
        kinds = [kind for kind in _kinds(Problem) if kind.code == code]
        if not kinds:
            raise NotFound
        meanings = [
            {"status": kind.status, "title": kind.title, "detail": kind.detail} for kind in kinds
        ]
        return Response({"code": code, "meanings": meanings})


def _hint(path: str) -> str | None:
    if path.endswith("/"):
        return None
    try:
        match = resolve(f"{path}/")
    except Resolver404:
        return None
    unknown = getattr(match.func, "view_class", None) is UnknownView
    return (
        None if unknown else f"There is nothing here. Did you mean {path}/ with a slash at its end?"
    )


def _kinds(kind: type[Problem]) -> list[type[Problem]]:
    return [kind, *(found for below in kind.__subclasses__() for found in _kinds(below))]
