"""Serializer of the choice of mails."""

from typing import Any

from rest_framework import serializers

from .fields import FlagField


class NoticesSerializer(serializers.Serializer[Any]):
    """Whether the user wants mails other than security mails."""

    notices = FlagField()
