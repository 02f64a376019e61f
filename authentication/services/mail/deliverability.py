"""Whom not to write to any more, and who would rather not be written to."""

import uuid
from collections.abc import Iterable

from django.core import signing
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid
from authentication.models import User, UserSession
from authentication.services.acting import acting
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email
from authentication.utils.sendgrid import BOUNCED, MailEvent

from .unsubscribe import person_of


class DeliverabilityService:
    """Whom not to write to any more, and who would rather not be written to."""

    @staticmethod
    def note(events: Iterable[MailEvent], *, client: ClientInfo) -> None:
        """Mark the accounts whose addresses take no mail, or whose people called ours unwanted; others do nothing.

        What is told twice, or later than the person has proven the address anew, changes nothing.
        """
        for event in events:
            user_id = (
                User.objects.identified_by(canonical_email(event.address))
                .values_list("pk", flat=True)
                .first()
            )
            if user_id is None:
                continue
            what = Event.EMAIL_BOUNCED if event.kind == BOUNCED else Event.EMAIL_COMPLAINED
            with transaction.atomic():
                if User.objects.mark_unreachable(
                    user_id, complained=event.kind != BOUNCED, at=event.at
                ):
                    record(what, user_id=user_id, client=client, risk=Risk.MEDIUM, success=False)

    @staticmethod
    def want_notices(session: UserSession, *, wanted: bool, client: ClientInfo) -> None:
        """Store whether a user wants mails that are not about the safety of their account."""
        with acting(session) as user:
            _want_notices(user.pk, wanted=wanted, client=client)

    @staticmethod
    def unsubscribe(*, token: str, client: ClientInfo) -> None:
        """Send no more notices to whom a mail's unsubscribe link belongs.

        Raises LinkInvalid if the token is none of ours.
        """
        try:
            user_id = person_of(token)
        except signing.BadSignature:
            raise LinkInvalid from None
        with transaction.atomic():
            _want_notices(user_id, wanted=False, client=client)


def _want_notices(user_id: uuid.UUID, *, wanted: bool, client: ClientInfo) -> None:
    if User.objects.want_notices(user_id, wanted=wanted, at=timezone.now()):
        record(Event.NOTICES_CHANGED, user_id=user_id, client=client, wanted=wanted)
