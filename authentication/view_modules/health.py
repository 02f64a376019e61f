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
    """Tell whether the service can do its work.

    503 with `unhealthy` without a database, with `degraded` without a cache. Celery is reported and
    never decides.
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
    """Tell that the process runs, asking nothing of anybody."""

    tag = "operations"

    @authentication_schema("live", LiveSerializer, response={"status": "alive"})
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})
