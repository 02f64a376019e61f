"""The pages of an unexpected error and of a store that fails, and the icon of every page."""

import sys
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import View

from authentication.exceptions import ServiceUnavailable
from authentication.services.operations import drop_lost_connections, is_database_fault
from authentication.utils.client import CORRELATION_KEY
from authentication.utils.faults import REDIS_FAULTS

from .community import community

_ICON = Path(__file__).parents[1] / "static" / "account" / "favicon.svg"
_DAY = 24 * 60 * 60


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an unexpected error with a page that names the request: Django's `handler500`.

    A fault of the database or of Redis gets a page that asks to try again, with `Retry-After`.
    """
    error = sys.exception()
    if isinstance(error, Exception) and (
        is_database_fault(error) or isinstance(error, REDIS_FAULTS)
    ):
        drop_lost_connections(error)
        refusal = ServiceUnavailable()
        page = render_to_string("503.html", {"detail": refusal.detail, **community(request)})
        return HttpResponse(page, status=refusal.status, headers=refusal.headers)
    context = {"correlation_id": request.META.get(CORRELATION_KEY, ""), **community(request)}
    # Without the request: its other context processors may be what failed.
    return HttpResponse(render_to_string("500.html", context), status=500)


class FaviconView(View):
    """The icon that browsers ask for on their own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return HttpResponse(_icon(), content_type="image/svg+xml", headers=headers)


@cache
def _icon() -> bytes:
    return _ICON.read_bytes()
