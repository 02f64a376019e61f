"""Serializer of the account's deletion."""

from typing import Any

from rest_framework import serializers


class DeletionSerializer(serializers.Serializer[Any]):
    """The time at which the account will be erased."""

    message = serializers.CharField()
    deletion_at = serializers.DateTimeField()
