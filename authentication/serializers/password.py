"""Serializers of password change and reset."""

from collections.abc import Collection
from typing import Any

from rest_framework import serializers

from .base import Errors, InputSerializer, compare_repetition
from .fields import EmailAddressField, PasswordField, TokenField
from .tokens import NewSessionSerializer


class NewPasswordSerializer(InputSerializer):
    """A new password, and its repetition if the form asks for it."""

    new_password = PasswordField()
    new_password_confirm = PasswordField(required=False)

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        return compare_repetition(values, "new_password")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("new_password_confirm", None)
        return attrs


class PasswordChangeSerializer(NewPasswordSerializer):
    """The current password and the new one."""

    old_password = PasswordField()


class PasswordResetSerializer(InputSerializer):
    """The address to send the reset link to."""

    email = EmailAddressField()


class PasswordResetConfirmSerializer(NewPasswordSerializer):
    """The token from the mail, and the new password."""

    token = TokenField()


class PasswordChangedSerializer(NewSessionSerializer):
    """New tokens for the device that made the change; every older one is dead."""

    message = serializers.CharField()


class PasswordResetDoneSerializer(serializers.Serializer[Any]):
    """A sentence for the person, and what the device is known by from now on."""

    message = serializers.CharField()
    device_id = serializers.CharField(
        required=False, help_text="For clients that are no browsers: send it as X-Device-Id."
    )
