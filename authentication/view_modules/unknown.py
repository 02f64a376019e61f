"""404 for unknown paths, and the pages of problem types."""

from typing import Any

from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.problem_schema import problem_kinds
from authentication.exceptions import NotFound

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
        meanings = _meanings().get(code)
        if meanings is None:
            raise NotFound
        return Response({"code": code, "meanings": meanings})


@extend_schema(exclude=True)
class ProblemIndexView(PublicView):
    """Lists the types of problems."""

    def get(self, request: Request) -> Response:
        return Response(
            {
                "problems": [
                    {"code": code, "type": reverse("problem", args=[code]), "meanings": meanings}
                    for code, meanings in sorted(_meanings().items())
                ]
            }
        )


def _meanings() -> dict[str, list[dict[str, Any]]]:
    """Return the meanings of each code, each once: some classes differ in their use alone."""
    meanings: dict[str, list[dict[str, Any]]] = {}
    for kind in problem_kinds():
        title, detail = str(kind.title), str(kind.detail)
        meaning = {"status": kind.status, "title": title, "detail": detail}
        known = meanings.setdefault(kind.code, [])
        same = [it for it in known if (it["status"], it["title"]) == (kind.status, title)]
        if not same:
            known.append(meaning)
    return meanings


def _hint(path: str) -> str | None:
    if path.endswith("/"):
        return None
    try:
        match = resolve(f"{path}/")
    except Resolver404:
        return None
    unknown = getattr(match.func, "view_class", None) is UnknownView
    if unknown:
        return None
    text = _("There is nothing here. Did you mean {path} with a slash at its end?")
    return text.format(path=f"{path}/")
