"""What a person has agreed to."""

import dataclasses
from collections.abc import Collection

from authentication.models import Consent, User, UserSession
from authentication.services.acting import acting
from authentication.utils.client import ClientInfo

from .records import current_versions, due, give


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
        return Consents(current=current_versions(), due=due(user), history=list(history))

    @staticmethod
    def accept(session: UserSession, documents: Collection[str], *, client: ClientInfo) -> Consents:
        """Store that a user agrees to the current versions of documents; agreeing twice is once."""
        with acting(session) as user:
            give(user, documents, client=client)
        return ConsentService.of(user)
