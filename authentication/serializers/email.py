"""Serializers of email verification."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import EmailAddressField, TokenField


class EmailVerifySerializer(InputSerializer):
    """The token from the verification mail."""

    token = TokenField()


class EmailResendSerializer(InputSerializer):
    """The address that needs a new verification mail."""

    email = EmailAddressField()


class EmailVerifiedSerializer(serializers.Serializer[Any]):
    """The address is verified; the exchange token signs in without a password."""

    message = serializers.CharField()
    exchange_token = serializers.CharField(
        allow_null=True,
        help_text="Null if tokens cannot be stored now; sign in with the password then.",
    )
