"""Serializers of the health checks and the CSRF token."""

from typing import Any

from rest_framework import serializers


class HealthChecksSerializer(serializers.Serializer[Any]):
    """The state of each dependency."""

    database = serializers.CharField()
    cache = serializers.CharField()
    celery = serializers.CharField()


class HealthSerializer(serializers.Serializer[Any]):
    """The state of the service."""

    status = serializers.ChoiceField(choices=("healthy", "degraded", "unhealthy"))
    database = serializers.CharField()
    cache = serializers.CharField()
    timestamp = serializers.DateTimeField()
    checks = HealthChecksSerializer()


class LiveSerializer(serializers.Serializer[Any]):
    """The process is running."""

    status = serializers.CharField()


class CsrfTokenSerializer(serializers.Serializer[Any]):
    """The token that a page sends in the X-CSRFToken header."""

    csrfToken = serializers.CharField()  # noqa: N815 -- the specification's name
