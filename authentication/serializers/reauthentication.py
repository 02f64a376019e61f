"""Shapes of proving again who one is."""

from typing import Any

from rest_framework import serializers

from .fields import CodeField, PasswordField


class ReauthenticateSerializer(serializers.Serializer[Any]):
    """What proves that it is the person: a code where they have a second factor, else the password."""

    password = PasswordField(required=False)
    otp = CodeField(
        required=False, help_text="A code of the authenticator app, or a recovery code."
    )


class ReauthenticatedSerializer(serializers.Serializer[Any]):
    """For how long the proof is good."""

    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
