"""Shapes of the second factor."""

from typing import Any

from rest_framework import serializers

from .fields import CodeField, TokenField

_ONE_OF = "Send one of otp and recovery_code."


class SecondFactorStatusSerializer(serializers.Serializer[Any]):
    """Whether there is a second factor."""

    enabled = serializers.BooleanField()
    enabled_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()
    session_verified = serializers.BooleanField(
        help_text="Whether this session was proven by the second factor."
    )


class SecondFactorOfferSerializer(serializers.Serializer[Any]):
    """A new secret for an authenticator app."""

    secret = serializers.CharField(help_text="In base32, to be typed into the app.")
    otpauth_url = serializers.CharField(help_text="What the QR code says.")
    qr_svg = serializers.CharField(help_text="The QR code, an SVG image.")


class SecondFactorConfirmSerializer(serializers.Serializer[Any]):
    """The first code of the app."""

    otp = CodeField()


class RecoveryCodesSerializer(serializers.Serializer[Any]):
    """The codes for when the app is lost: this is the only time they are shown."""

    message = serializers.CharField()
    recovery_codes = serializers.ListField(child=serializers.CharField())


class SecondFactorVerifySerializer(serializers.Serializer[Any]):
    """What goes on with a sign-in: the token it stopped with, and one code."""

    mfa_token = TokenField()
    otp = CodeField(
        required=False,
        help_text="A code of the authenticator app; a recovery code is accepted too.",
    )
    recovery_code = CodeField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        codes = [attrs[name] for name in ("otp", "recovery_code") if name in attrs]
        if len(codes) != 1:
            raise serializers.ValidationError({"otp": [_ONE_OF]})
        return {"mfa_token": attrs["mfa_token"], "code": codes[0]}
