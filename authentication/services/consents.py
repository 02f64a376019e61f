"""What a person has agreed to."""

import dataclasses
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from authentication.models import Consent, User
from authentication.utils.client import ClientInfo

from .audit import Event, record
from .consent_records import current_versions, due, remember, stamp


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
    def accept(user: User, documents: Collection[str], *, client: ClientInfo) -> Consents:
        """Note that a person agrees to the versions in force of some documents; once is enough."""
        now, versions = timezone.now(), due(user)
        fresh = [document for document in documents if document in versions]
        if fresh:
            with transaction.atomic():
                user.save(update_fields=stamp(user, fresh, at=now))
                remember(user, fresh, client=client, at=now)
                record(
                    Event.CONSENT_GIVEN,
                    user_id=user.pk,
                    client=client,
                    versions={document: versions[document] for document in fresh},
                )
        return ConsentService.of(user)
