"""Serializers of reauthentication."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import CodeField, PasswordField


class ReauthenticateSerializer(InputSerializer):
    """A code if the account has a second factor, else the password."""

    alternatives = frozenset({"password", "otp"})

    password = PasswordField(required=False)
    otp = CodeField(
        required=False, help_text="A code from the authenticator app, or a recovery code."
    )


class ReauthenticatedSerializer(serializers.Serializer[Any]):
    """For how long the proof of identity is valid."""

    message = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
