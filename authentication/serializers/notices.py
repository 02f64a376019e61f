"""Shape of which mails a person wants."""

from typing import Any

from rest_framework import serializers

from .fields import FlagField


class NoticesSerializer(serializers.Serializer[Any]):
    """Whether a person gets mails that are not about the safety of their account."""

    notices = FlagField()
