"""Serializers of changes of the email address."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import EmailAddressField, TokenField


class EmailChangeSerializer(InputSerializer):
    """The new address."""

    email = EmailAddressField()


class EmailChangeTokenSerializer(InputSerializer):
    """The token from the mail."""

    token = TokenField()


class PendingEmailSerializer(serializers.Serializer[Any]):
    """A new address that is not confirmed yet."""

    email = serializers.EmailField(source="new_email")
    requested_at = serializers.DateTimeField()


class EmailStateSerializer(serializers.Serializer[Any]):
    """The current address, and the new one if it is not confirmed yet."""

    email = serializers.EmailField()
    pending = PendingEmailSerializer(allow_null=True)


class EmailUndoneSerializer(serializers.Serializer[Any]):
    """The change is undone; the reset token sets a new password."""

    message = serializers.CharField()
    reset_token = serializers.CharField(help_text="For password/reset/confirm/.")
