"""Serializers of sessions."""

from typing import Any

from rest_framework import serializers


class SessionSerializer(serializers.Serializer[Any]):
    """A session: a device that is signed in."""

    id = serializers.UUIDField()
    device_name = serializers.CharField()
    device_type = serializers.CharField()
    browser = serializers.CharField()
    operating_system = serializers.CharField()
    device_fingerprint = serializers.CharField()
    user_agent = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    city = serializers.CharField()
    country = serializers.CharField()
    is_active = serializers.BooleanField()
    is_current = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_is_current(self, session: Any) -> bool:
        """Return whether it is the session of this request."""
        return bool(session.pk == self.context["current"])


class SessionListSerializer(serializers.Serializer[Any]):
    """The active sessions, most recently used first."""

    sessions = SessionSerializer(many=True)


class TerminatedSerializer(serializers.Serializer[Any]):
    """The number of ended sessions."""

    message = serializers.CharField()
    terminated_count = serializers.IntegerField()
