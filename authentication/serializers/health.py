"""Serializers of the health checks and the CSRF token."""

from typing import Any

from rest_framework import serializers

STATES = ("healthy", "degraded", "unhealthy")


class CelerySerializer(serializers.Serializer[Any]):
    """The state of each process of Celery, by its heartbeat.

    `active` or `missing`; `threads` without a broker, `unknown` without a cache. A mailer is `late`
    if a mail has been due for five minutes.
    """

    mailer = serializers.CharField()
    worker = serializers.CharField()
    beat = serializers.CharField()


class HealthChecksSerializer(serializers.Serializer[Any]):
    """The state of each dependency."""

    database = serializers.CharField()
    cache = serializers.CharField()
    celery = CelerySerializer()


class HealthSerializer(serializers.Serializer[Any]):
    """The state of the service."""

    status = serializers.ChoiceField(choices=STATES)
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
