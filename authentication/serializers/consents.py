"""Serializers of consents to the terms and the privacy policy."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from .base import InputSerializer
from .fields import ConsentField

DOCUMENTS = ("terms", "privacy_policy")


class ConsentsGiveSerializer(InputSerializer):
    """The documents that the user accepts, in their current version; at least one."""

    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError(_("Please choose at least one document."))
        return {"documents": documents_in(attrs)}


class ConsentGivenSerializer(serializers.Serializer[Any]):
    """A consent."""

    document = serializers.ChoiceField(choices=DOCUMENTS)
    version = serializers.CharField()
    accepted_at = serializers.DateTimeField()
    ip_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()


class VersionsSerializer(serializers.Serializer[Any]):
    """The version of each document."""

    terms = serializers.CharField(required=False)
    privacy_policy = serializers.CharField(required=False)


class ConsentHistorySerializer(serializers.Serializer[Any]):
    """The current versions, those not accepted yet, and all consents, newest first."""

    current = VersionsSerializer()
    due = VersionsSerializer()
    history = ConsentGivenSerializer(many=True)


def documents_in(attrs: dict[str, Any]) -> list[str]:
    """Return the accepted documents, and remove their fields from `attrs`."""
    return [document for document in DOCUMENTS if attrs.pop(f"{document}_accepted", False)]
