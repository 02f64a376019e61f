"""Shape of leaving."""

from typing import Any

from rest_framework import serializers


class DeletionSerializer(serializers.Serializer[Any]):
    """When the account will be gone."""

    message = serializers.CharField()
    deletion_at = serializers.DateTimeField()
