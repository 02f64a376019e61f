"""Shapes of moving to another email address."""

from typing import Any

from rest_framework import serializers

from .fields import EmailAddressField, TokenField


class EmailChangeSerializer(serializers.Serializer[Any]):
    """The address to move to."""

    email = EmailAddressField()


class EmailChangeTokenSerializer(serializers.Serializer[Any]):
    """The token from the mail."""

    token = TokenField()


class PendingEmailSerializer(serializers.Serializer[Any]):
    """The address that waits to be confirmed."""

    email = serializers.EmailField(source="new_email")
    requested_at = serializers.DateTimeField()


class EmailStateSerializer(serializers.Serializer[Any]):
    """The address in force, and the one that waits to be confirmed."""

    email = serializers.EmailField()
    pending = PendingEmailSerializer(allow_null=True)


class EmailUndoneSerializer(serializers.Serializer[Any]):
    """That the old address is back, and what to do next."""

    message = serializers.CharField()
    reset_token = serializers.CharField(help_text="Good for password/reset/confirm/.")
