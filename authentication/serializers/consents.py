"""Shapes of what a person has agreed to."""

from typing import Any

from rest_framework import serializers

from .fields import ConsentField

DOCUMENTS = ("terms", "privacy_policy")


class ConsentsGiveSerializer(serializers.Serializer[Any]):
    """The documents whose versions in force a person agrees to; at least one."""

    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Name at least one document.")
        return {"documents": documents_in(attrs)}


class ConsentGivenSerializer(serializers.Serializer[Any]):
    """An agreement."""

    document = serializers.ChoiceField(choices=DOCUMENTS)
    version = serializers.CharField()
    accepted_at = serializers.DateTimeField()
    ip_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()


class VersionsSerializer(serializers.Serializer[Any]):
    """A version of each document."""

    terms = serializers.CharField(required=False)
    privacy_policy = serializers.CharField(required=False)


class ConsentHistorySerializer(serializers.Serializer[Any]):
    """The versions in force, those still to be agreed to, and everything agreed to, the newest first."""

    current = VersionsSerializer()
    due = VersionsSerializer()
    history = ConsentGivenSerializer(many=True)


def documents_in(attrs: dict[str, Any]) -> list[str]:
    """Return the documents agreed to in a body, and take them out of it."""
    return [document for document in DOCUMENTS if attrs.pop(f"{document}_accepted", False)]
