"""Shapes of email verification."""

from typing import Any

from rest_framework import serializers

from .fields import EmailAddressField, TokenField


class EmailVerifySerializer(serializers.Serializer[Any]):
    """The token from the mail."""

    token = TokenField()


class EmailResendSerializer(serializers.Serializer[Any]):
    """The address to write to once more."""

    email = EmailAddressField()


class EmailVerifiedSerializer(serializers.Serializer[Any]):
    """A proven address, and the token to sign in with at once."""

    message = serializers.CharField()
    exchange_token = serializers.CharField(
        allow_null=True, help_text="Null while no token can be kept: sign in then."
    )
