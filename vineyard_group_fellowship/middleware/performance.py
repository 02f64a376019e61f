"""Request durations."""

import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authentication.utils.metrics import observe_request

logger = structlog.get_logger(__name__)


class PerformanceMonitoringMiddleware:
    """Sets `X-Response-Time`, observes the metric, and logs slow requests."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - start
        observe_request(_endpoint(request), request.method, response.status_code, seconds)
        response["X-Response-Time"] = f"{seconds:.3f}s"
        if seconds > settings.SLOW_REQUEST_SECONDS:
            logger.warning(
                "slow_request", method=request.method, path=request.path, seconds=round(seconds, 3)
            )
        return response


def _endpoint(request: HttpRequest) -> str | None:
    match = request.resolver_match
    # The admin counts as one endpoint: it has many pages and few requests.
    return (match.namespace or match.view_name) if match else None
