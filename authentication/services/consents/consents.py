"""Use cases of consent: showing and giving it."""

import dataclasses
from collections.abc import Collection

from authentication.models import Consent, User, UserSession
from authentication.services.acting import acting
from authentication.utils.client import ClientInfo

from .records import current_versions, outstanding_consents, record_consent


@dataclasses.dataclass(frozen=True, slots=True)
class Consents:
    """The current versions, those not accepted yet, and all consents, newest first."""

    current: dict[str, str]
    due: dict[str, str]
    history: list[Consent]


class ConsentService:
    """Showing and giving consent."""

    @staticmethod
    def of(user: User) -> Consents:
        """Return the consents of a user."""
        history = Consent.objects.filter(user=user).order_by("-accepted_at", "document")
        return Consents(
            current=current_versions(), due=outstanding_consents(user), history=list(history)
        )

    @staticmethod
    def accept(session: UserSession, documents: Collection[str], *, client: ClientInfo) -> Consents:
        """Store that a user agrees to the current versions of documents; agreeing twice is once."""
        with acting(session) as user:
            record_consent(user, documents, client=client)
        return ConsentService.of(user)
