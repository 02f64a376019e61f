"""Serializers of sessions."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from authentication.utils.device_words import spoken
from authentication.utils.places import country_name, shown_city

from .base import InputSerializer
from .fields import DeviceNameField


class CityField(serializers.CharField):
    """The name of a city, if the settings let it be shown."""

    def to_representation(self, value: str) -> str:
        return shown_city(value)


class CountryField(serializers.CharField):
    """A country, stored by its code and shown by its name in the language of the answer."""

    def to_representation(self, value: str) -> str:
        return country_name(value)


class SessionSerializer(serializers.Serializer[Any]):
    """A session: a device that is signed in."""

    id = serializers.UUIDField()
    device_name = serializers.SerializerMethodField(
        help_text='The name given at the sign-in, else words for it, such as "Safari on iPhone".'
    )
    device_type = serializers.CharField(
        help_text="`desktop`, `mobile`, `tablet`, `bot`, or `other`, as for a program or a TV."
    )
    browser = serializers.CharField()
    operating_system = serializers.CharField()
    device_fingerprint = serializers.CharField()
    user_agent = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    city = CityField(help_text="Of the sign-in; empty if it is not known.")
    country = CountryField(
        help_text="Of the sign-in, by its name in the language of the answer; empty if unknown."
    )
    is_active = serializers.BooleanField()
    is_current = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    last_activity_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    def get_device_name(self, session: Any) -> str:
        """Return the device's name."""
        return spoken(session.device_name)

    def get_is_current(self, session: Any) -> bool:
        """Return whether it is the session of this request."""
        return bool(session.pk == self.context["current"])


class ChosenDeviceNameField(DeviceNameField):
    """A name that a person gives a device. Something of it must be visible, and it is not cut."""

    default_error_messages = {"unnamed": _("Please enter a name.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": True, "default": serializers.empty, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and len(data) > (self.max_length or 0):
            self.fail("max_length", max_length=self.max_length)
        name = super().to_internal_value(data)
        if not name:
            self.fail("unnamed")
        return name


class SessionRenameSerializer(InputSerializer):
    """Another name for a device."""

    device_name = ChosenDeviceNameField()


class SessionListSerializer(serializers.Serializer[Any]):
    """The active sessions, most recently used first."""

    sessions = SessionSerializer(many=True)


class TerminatedSerializer(serializers.Serializer[Any]):
    """The number of ended sessions."""

    message = serializers.CharField()
    terminated_count = serializers.IntegerField()
