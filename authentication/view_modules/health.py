"""Health checks."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.schema import authentication_schema
from authentication.serializers.health import HealthSerializer, LiveSerializer
from authentication.services.operations import HealthService

from .base import PublicView

_CELERY = {"mailer": "active", "worker": "active", "beat": "active"}
_CHECKS = {"database": "connected", "cache": "connected", "celery": _CELERY}
_EXAMPLE = {
    "status": "healthy",
    "database": "connected",
    "cache": "connected",
    "timestamp": "2026-11-22T15:30:00Z",
    "checks": _CHECKS,
}
_NO_CACHE = {
    **_EXAMPLE,
    "status": "degraded",
    "cache": "unavailable",
    "checks": {**_CHECKS, "cache": "unavailable"},
}
_READ_ONLY = {
    **_EXAMPLE,
    "status": "unhealthy",
    "database": "read-only",
    "checks": {**_CHECKS, "database": "read-only"},
}


class HealthView(PublicView):
    """Check the service and what it depends on.

    The answer is 503 with `unhealthy` if the database is down, refuses writes or lacks a migration,
    and 503 with `degraded` if the cache is down. It is 200 with `degraded` if the mailer, the
    worker or beat had no heartbeat for two minutes, or if a mail has been due for five.
    """

    tag = "operations"

    @authentication_schema(
        "health",
        HealthSerializer,
        other_answers={
            503: OpenApiResponse(
                HealthSerializer,
                examples=[
                    OpenApiExample("unhealthy", value=_READ_ONLY),
                    OpenApiExample("degraded", value=_NO_CACHE),
                ],
            )
        },
        response=_EXAMPLE,
    )
    def get(self, request: Request) -> Response:
        health = HealthService.check()
        answer = {
            "status": health.status,
            "database": health.database,
            "cache": health.cache,
            "timestamp": timezone.now(),
            "checks": {
                "database": health.database,
                "cache": health.cache,
                "celery": health.celery,
            },
        }
        return Response(answer, status=200 if health.is_available else 503)


class LiveView(PublicView):
    """Check that the process runs, without its database or cache."""

    tag = "operations"

    @authentication_schema("live", LiveSerializer, response={"status": "alive"})
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})
