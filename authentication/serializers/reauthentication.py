"""Shapes of proving again who one is."""

from typing import Any

from rest_framework import serializers

from .fields import PasswordField


class ReauthenticateSerializer(serializers.Serializer[Any]):
    """What proves that it is the person."""

    password = PasswordField()


class ReauthenticatedSerializer(serializers.Serializer[Any]):
    """For how long the proof is good."""

    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
