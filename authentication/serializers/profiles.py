"""Serializers of the user's own profile."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from .base import InputSerializer
from .choice_fields import LanguageField, OneOfField, TimezoneField
from .fields import NameField, UsernameField

VISIBILITIES = ("private", "members", "public")
# Another word for the same, which the community's front end uses.
_COMMUNITY = "community"
PROFILE_VISIBILITIES = tuple(_COMMUNITY if it == "members" else it for it in VISIBILITIES)
VISIBILITY_WORDS = {**{it: it for it in VISIBILITIES}, _COMMUNITY: "members"}
"""The words that clients send, and what each means."""
ACCEPTED_VISIBILITIES = tuple(VISIBILITY_WORDS)


class VisibilityField(OneOfField):
    """Who may see the profile; `community` means `members`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(ACCEPTED_VISIBILITIES, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        return VISIBILITY_WORDS[super().to_internal_value(data)]


class ProfileUpdateSerializer(InputSerializer):
    """The fields to change; fields left out keep their values."""

    username = UsernameField(required=False)
    first_name = NameField(max_length=150)
    last_name = NameField(max_length=150)
    display_name = NameField(max_length=80)
    timezone = TimezoneField(required=False)
    visibility = VisibilityField(required=False)
    profile_visibility = VisibilityField(
        required=False, help_text="Another name of `visibility`; send either."
    )
    language = LanguageField(required=False)


class ConsentsSerializer(serializers.Serializer[Any]):
    """When each document was accepted; null if it was not."""

    terms_accepted_at = serializers.DateTimeField(allow_null=True)
    privacy_policy_accepted_at = serializers.DateTimeField(allow_null=True)


class ProfileSerializer(serializers.Serializer[Any]):
    """The profile of the signed-in user."""

    id = serializers.UUIDField(source="pk")
    email = serializers.EmailField(source="user.email")
    username = serializers.CharField(source="user.username")
    first_name = serializers.CharField(source="user.first_name")
    last_name = serializers.CharField(source="user.last_name")
    email_verified = serializers.BooleanField(source="user.email_verified")
    display_name = serializers.CharField()
    display_name_or_email = serializers.SerializerMethodField(
        help_text="The display name, else the username. It never is an email address."
    )
    timezone = serializers.CharField()
    visibility = serializers.ChoiceField(choices=VISIBILITIES)
    profile_visibility = serializers.SerializerMethodField(
        help_text="`visibility`, with `community` for `members`."
    )
    language = serializers.CharField(
        source="user.language", help_text="Empty if the person follows the browser's language."
    )
    consents = ConsentsSerializer(source="user")
    created_at = serializers.DateTimeField(source="user.created_at")
    date_joined = serializers.DateTimeField(
        source="user.created_at", help_text="The same as `created_at`."
    )

    def get_display_name_or_email(self, profile: Any) -> str:
        return str(profile.display_name or profile.user.username)

    @extend_schema_field(serializers.ChoiceField(choices=PROFILE_VISIBILITIES))
    def get_profile_visibility(self, profile: Any) -> str:
        return _COMMUNITY if profile.visibility == "members" else str(profile.visibility)
