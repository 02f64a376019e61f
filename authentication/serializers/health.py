"""Shapes of what operations ask."""

from typing import Any

from rest_framework import serializers


class HealthChecksSerializer(serializers.Serializer[Any]):
    """What each part of the service says of itself."""

    database = serializers.CharField()
    cache = serializers.CharField()
    celery = serializers.CharField()


class HealthSerializer(serializers.Serializer[Any]):
    """Whether the service can do its work."""

    status = serializers.ChoiceField(choices=("healthy", "degraded", "unhealthy"))
    database = serializers.CharField()
    cache = serializers.CharField()
    timestamp = serializers.DateTimeField()
    checks = HealthChecksSerializer()


class LiveSerializer(serializers.Serializer[Any]):
    """The process runs."""

    status = serializers.CharField()


class CsrfTokenSerializer(serializers.Serializer[Any]):
    """The token a page sends back as X-CSRFToken."""

    csrfToken = serializers.CharField()  # noqa: N815 -- the specification's name
