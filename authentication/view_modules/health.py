"""Health checks."""

import dataclasses

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.schema import authentication_schema
from authentication.serializers.health import HealthSerializer, LiveSerializer
from authentication.services.operations import HealthService

from .base import PublicView

_CHECKS = {"database": "connected", "cache": "connected", "celery": "workers active"}
_EXAMPLE = {
    "status": "healthy",
    "database": "connected",
    "cache": "connected",
    "timestamp": "2026-11-22T15:30:00Z",
    "checks": _CHECKS,
}
_DEGRADED = {
    **_EXAMPLE,
    "status": "degraded",
    "cache": "unavailable",
    "checks": {**_CHECKS, "cache": "unavailable"},
}


class HealthView(PublicView):
    """Check the service and what it depends on.

    The answer is 503 with `unhealthy` if the database is down, and with `degraded` if the cache is
    down. The state of Celery is reported but does not change the status.
    """

    tag = "operations"

    @authentication_schema(
        "health",
        HealthSerializer,
        other_answers={
            503: OpenApiResponse(
                HealthSerializer, examples=[OpenApiExample("degraded", value=_DEGRADED)]
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
            "checks": dataclasses.asdict(health),
        }
        return Response(answer, status=200 if health.status == "healthy" else 503)


class LiveView(PublicView):
    """Check that the process runs, without its database or cache."""

    tag = "operations"

    @authentication_schema("live", LiveSerializer, response={"status": "alive"})
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})
