"""Serializers of registration, sign-in and sign-out."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from .base import Errors, InputSerializer, compare_repetition
from .choice_fields import NewTimezoneField
from .consents import documents_in
from .fields import (
    CodeField,
    ConsentField,
    DeviceNameField,
    EmailAddressField,
    FlagField,
    NameField,
    PasswordField,
    SessionTokenField,
    TextField,
    UsernameField,
    identifier_of,
)

_REQUIRED = _("This field is required.")
_IDENTIFIERS = ("email_or_username", "email", "username")


class RegisterSerializer(InputSerializer):
    """The data of a new account."""

    # Without a username one is generated.
    alternatives = frozenset({"username"})

    email = EmailAddressField()
    password = PasswordField()
    password_confirm = PasswordField(required=False)
    username = UsernameField(required=False)
    first_name = NameField(max_length=150)
    last_name = NameField(max_length=150)
    display_name = NameField(max_length=80)
    timezone = NewTimezoneField(required=False, allow_blank=True)
    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        errors = compare_repetition(values, "password")
        if settings.REQUIRE_CONSENT:
            names = ("terms_accepted", "privacy_policy_accepted")
            errors |= {name: [_REQUIRED] for name in names if name not in values}
        return errors

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("password_confirm", None)
        return {"documents": documents_in(attrs), **attrs}


class LoginSerializer(InputSerializer):
    """A sign-in. One of email_or_username, email and username is required."""

    alternatives = frozenset({"email_or_username", "email", "username"})

    email_or_username = TextField(max_length=254, required=False)
    email = TextField(max_length=254, required=False)
    username = TextField(max_length=254, required=False)
    password = PasswordField()
    remember_me = FlagField(required=False, default=False)
    device_name = DeviceNameField()
    otp = CodeField(
        required=False,
        allow_blank=True,
        help_text="A code from the authenticator app or a recovery code, if one is set up.",
    )
    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)
    restore = FlagField(
        required=False, default=False, help_text="Cancels the deletion of the account."
    )

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        if any(values.get(name) or name in invalid for name in _IDENTIFIERS):
            return {}
        return {"email_or_username": [_REQUIRED]}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        identifier = identifier_of(attrs, *_IDENTIFIERS)
        return {"documents": documents_in(attrs), **attrs, "identifier": identifier}


class LogoutSerializer(InputSerializer):
    """The refresh token, if the access token has expired."""

    refresh = SessionTokenField()


class RegisteredSerializer(serializers.Serializer[Any]):
    """The response to a registration, the same for new and for taken addresses."""

    message = serializers.CharField()
    user_id = serializers.UUIDField()
    email = serializers.EmailField()


class SignedInUserSerializer(serializers.Serializer[Any]):
    """The user who signed in."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    email_verified = serializers.BooleanField()
    password_breached = serializers.BooleanField(
        required=False,
        help_text="Present, and true, while the password is known from a data breach.",
    )

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = dict(super().to_representation(instance))
        if instance.password_breached_at:
            shown["password_breached"] = True
        return shown


class MessageSerializer(serializers.Serializer[Any]):
    """A message for the user."""

    message = serializers.CharField()
