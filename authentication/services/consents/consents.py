"""What a person has agreed to."""

import dataclasses
from collections.abc import Collection

from authentication.models import Consent, User
from authentication.utils.client import ClientInfo

from .records import current_versions, outstanding_consents, record_consent


@dataclasses.dataclass(frozen=True, slots=True)
class Consents:
    """The versions in force, those still to be agreed to, and everything agreed to, the newest first."""

    current: dict[str, str]
    due: dict[str, str]
    history: list[Consent]


class ConsentService:
    """What a person has agreed to."""

    @staticmethod
    def of(user: User) -> Consents:
        """Return a person's agreements."""
        history = Consent.objects.filter(user=user).order_by("-accepted_at", "document")
        return Consents(
            current=current_versions(), due=outstanding_consents(user), history=list(history)
        )

    @staticmethod
    def accept(user: User, documents: Collection[str], *, client: ClientInfo) -> Consents:
        """Note that a person agrees to the versions in force of some documents; once is enough."""
        record_consent(user, documents, client=client)
        return ConsentService.of(user)
