"""Serializers of the user's own profile."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import NameField, OneOfField, TimezoneField, UsernameField

VISIBILITIES = ("private", "members", "public")


class ProfileUpdateSerializer(InputSerializer):
    """The fields to change; fields left out keep their values."""

    username = UsernameField(required=False)
    first_name = NameField(max_length=150)
    last_name = NameField(max_length=150)
    display_name = NameField(max_length=80)
    timezone = TimezoneField(required=False)
    visibility = OneOfField(VISIBILITIES, required=False)


class ConsentsSerializer(serializers.Serializer[Any]):
    """When each document was accepted; null if it was not."""

    terms_accepted_at = serializers.DateTimeField(allow_null=True)
    privacy_policy_accepted_at = serializers.DateTimeField(allow_null=True)


class ProfileSerializer(serializers.Serializer[Any]):
    """The profile of the signed-in user."""

    id = serializers.UUIDField(source="pk")
    email = serializers.EmailField(source="user.email")
    username = serializers.CharField(source="user.username")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    email_verified = serializers.BooleanField(source="user.email_verified")
    display_name = serializers.CharField()
    timezone = serializers.CharField()
    visibility = serializers.ChoiceField(choices=VISIBILITIES)
    consents = ConsentsSerializer(source="user")
    created_at = serializers.DateTimeField(source="user.created_at")
