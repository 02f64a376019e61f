"""Serializers of email verification."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import EmailAddressField, PasswordField, TextField, TokenField, identifier_of


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


class EmailCorrectSerializer(InputSerializer):
    """The account, named as at a sign-in or as `identifier`, its password and its new address."""

    alternatives = frozenset({"identifier", "email_or_username", "email", "username"})

    identifier = TextField(max_length=254, required=False)
    email_or_username = TextField(max_length=254, required=False)
    email = TextField(max_length=254, required=False)
    username = TextField(max_length=254, required=False)
    password = PasswordField()
    new_email = EmailAddressField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        names = ("identifier", "email_or_username", "email", "username")
        return {"identifier": identifier_of(attrs, *names), **attrs}
