"""Serializers of the export of personal data."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import TokenField

STATES = ("none", "preparing", "failed", "ready", "downloaded")


class ExportStateSerializer(serializers.Serializer[Any]):
    """The state of the export."""

    state = serializers.ChoiceField(choices=STATES)
    requested_at = serializers.DateTimeField(allow_null=True)
    available_until = serializers.DateTimeField(allow_null=True)


class ExportDownloadSerializer(InputSerializer):
    """The token from the mail."""

    token = TokenField()
