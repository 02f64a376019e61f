"""Metrics for Prometheus."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views import View
from prometheus_client import CONTENT_TYPE_LATEST

from authentication.services.operations import MetricsService
from authentication.utils.client import client_address, parse_ip

# Headers that a proxy adds. A request with one of these is not from this machine, whatever the
# connection says.
_FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_VIA",
)


class MetricsView(View):
    """Answers requests with METRICS_TOKEN; if it is not set, requests from this machine."""

    http_method_names = ("get", "head")

    def get(self, request: HttpRequest) -> HttpResponse:
        if not _may_read(request):
            refused = HttpResponse(
                "Not for you.\n", status=401, content_type="text/plain; charset=utf-8"
            )
            refused["WWW-Authenticate"] = "Bearer"
            return refused
        return HttpResponse(
            MetricsService.exposition(),
            content_type=CONTENT_TYPE_LATEST,
            headers={"Cache-Control": "no-store"},
        )


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.META.get("HTTP_AUTHORIZATION", "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
    # Both ends must be local: a client that bypasses the edge can forge the header of the edge.
    ends = (client_address(request.META), parse_ip(request.META.get("REMOTE_ADDR", "")))
    is_here = all(end is not None and end.is_loopback for end in ends)
    return is_here and not any(name in request.META for name in _FORWARDED)
