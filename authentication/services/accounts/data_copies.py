"""A copy of a person's data, made by an operator for somebody who cannot sign in."""

from collections.abc import Callable
from itertools import chain

from django.utils import timezone

from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.services.operators import Operator
from authentication.utils.client import ClientInfo

from .export_parts import as_json
from .personal_data import personal_data


class DataCopyService:
    """A copy of everything that is held about a person."""

    @staticmethod
    def write(
        user: User, write: Callable[[str], object], *, operator: Operator, client: ClientInfo
    ) -> None:
        """Write a user's data as JSON, in pieces: the same as the user's own export.

        The event is stored first, so that a copy that breaks off has one too. The user sees it.
        """
        record(
            Event.EXPORT_DOWNLOADED,
            user_id=user.pk,
            client=client,
            risk=Risk.HIGH,
            **operator.facts(),
        )
        for text in as_json(chain([("made_at", timezone.now())], personal_data(user))):
            write(text)
