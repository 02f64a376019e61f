"""The page of an unexpected error, and the icon of every page."""

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import View

from authentication.utils.client import CORRELATION_KEY

_ICON = Path(__file__).parents[1] / "static" / "account" / "favicon.svg"
_DAY = 24 * 60 * 60


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected error with a page that names the request: Django's `handler500`."""
    context = {"correlation_id": request.META.get(CORRELATION_KEY, "")}
    # Without the request: its context processors may be what failed.
    return HttpResponse(render_to_string("500.html", context), status=500)


class FaviconView(View):
    """The icon that browsers ask for on their own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return HttpResponse(_icon(), content_type="image/svg+xml", headers=headers)


@cache
def _icon() -> bytes:
    return _ICON.read_bytes()
