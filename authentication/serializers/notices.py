"""Serializer of the choice of mails."""

from .base import InputSerializer
from .fields import FlagField


class NoticesSerializer(InputSerializer):
    """Whether the user wants mails other than security mails."""

    notices = FlagField()
