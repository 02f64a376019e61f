"""Serializers of access, refresh and exchange tokens."""

from typing import Any

from rest_framework import serializers

from .authentication import SignedInUserSerializer
from .base import InputSerializer
from .consents import documents_in
from .fields import ConsentField, SessionTokenField, TokenField


class TokenRefreshSerializer(InputSerializer):
    """The refresh token of an app; browsers send it in a cookie."""

    refresh = SessionTokenField()


class TokenVerifySerializer(InputSerializer):
    """The access token to verify."""

    token = SessionTokenField()


class ExchangeTokenSerializer(InputSerializer):
    """The exchange token from the email verification."""

    exchange_token = TokenField()
    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"documents": documents_in(attrs), "token": attrs["exchange_token"]}


class TokenPairSerializer(serializers.Serializer[Any]):
    """New tokens. Only apps get `refresh`; browsers get a cookie."""

    access_token = serializers.CharField()
    access = serializers.CharField(help_text="The same as access_token.")
    expires_in = serializers.IntegerField(help_text="Seconds.")
    token_type = serializers.CharField()
    refresh = serializers.CharField(required=False)


class NewSessionSerializer(TokenPairSerializer):
    """New tokens of a new session. `device_id` is there for clients that are no browsers."""

    device_id = serializers.CharField(
        required=False, help_text="Send it as X-Device-Id with every sign-in. Keep it secret."
    )


class SignedInSerializer(NewSessionSerializer):
    """New tokens, and whose they are."""

    user = SignedInUserSerializer()


class ExchangedSerializer(NewSessionSerializer):
    """New tokens for the one who has proven their address."""

    user_id = serializers.UUIDField()
    email = serializers.EmailField()
    first_login = serializers.BooleanField()
    message = serializers.CharField()
