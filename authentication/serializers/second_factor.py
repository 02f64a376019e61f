"""Serializers of the second factor."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from .base import Errors, InputSerializer
from .fields import CodeField, PasswordField, TokenField

_ONE_OF = _("Send either otp or recovery_code.")


class SecondFactorStatusSerializer(serializers.Serializer[Any]):
    """The state of the second factor."""

    enabled = serializers.BooleanField()
    enabled_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()
    session_verified = serializers.BooleanField(
        help_text="Whether this session was verified with the second factor."
    )


class SecondFactorSetupSerializer(serializers.Serializer[Any]):
    """The current password."""

    password = PasswordField()


class SecondFactorOfferSerializer(serializers.Serializer[Any]):
    """A new secret for an authenticator app."""

    secret = serializers.CharField(help_text="In base32, to type into the app.")
    otpauth_url = serializers.CharField(help_text="The content of the QR code.")
    qr_svg = serializers.CharField(help_text="The QR code as an SVG image.")


class SecondFactorConfirmSerializer(InputSerializer):
    """The first code from the app."""

    otp = CodeField()


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """New recovery codes, for use without the app. They are shown only once."""

    message = serializers.CharField()
    recovery_codes = serializers.ListField(child=serializers.CharField())


class SecondFactorRemovalTokenSerializer(InputSerializer):
    """The token from the mail about the removal."""

    token = TokenField()


class SecondFactorVerifySerializer(InputSerializer):
    """The token of an unfinished sign-in, and one code."""

    alternatives = frozenset({"otp", "recovery_code"})

    mfa_token = TokenField()
    otp = CodeField(
        required=False,
        help_text="A code from the authenticator app; a recovery code is accepted too.",
    )
    recovery_code = CodeField(required=False)

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        sent = sum(name in values or name in invalid for name in ("otp", "recovery_code"))
        return {} if sent == 1 else {"otp": [_ONE_OF]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        code = attrs["otp"] if "otp" in attrs else attrs["recovery_code"]
        return {"mfa_token": attrs["mfa_token"], "code": code}
