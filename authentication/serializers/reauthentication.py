"""Serializers of reauthentication."""

from typing import Any

from rest_framework import serializers

from .fields import CodeField, PasswordField


class ReauthenticateSerializer(serializers.Serializer[Any]):
    """A code if the account has a second factor, else the password."""

    password = PasswordField(required=False)
    otp = CodeField(
        required=False, help_text="A code from the authenticator app, or a recovery code."
    )


class ReauthenticatedSerializer(serializers.Serializer[Any]):
    """For how long the proof of identity is valid."""

    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
