"""Whom not to write to any more, and who would rather not be written to."""

import uuid
from collections.abc import Iterable

from django.core import signing
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid
from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email
from authentication.utils.sendgrid import BOUNCED, MailEvent

from .unsubscribe import read_unsubscribe_token


class DeliverabilityService:
    """Whom not to write to any more, and who would rather not be written to."""

    @staticmethod
    def record_events(events: Iterable[MailEvent], *, client: ClientInfo) -> None:
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
    def set_notices(user_id: uuid.UUID, *, wanted: bool, client: ClientInfo) -> None:
        """Remember whether a person wants mails that are not about the safety of their account."""
        with transaction.atomic():
            if User.objects.want_notices(user_id, wanted=wanted, at=timezone.now()):
                record(Event.NOTICES_CHANGED, user_id=user_id, client=client, wanted=wanted)

    @staticmethod
    def unsubscribe(*, token: str, client: ClientInfo) -> None:
        """Send no more notices to whom a mail's unsubscribe link belongs.

        Raises LinkInvalid if the token is none of ours.
        """
        try:
            user_id = read_unsubscribe_token(token)
        except signing.BadSignature:
            raise LinkInvalid from None
        DeliverabilityService.set_notices(user_id, wanted=False, client=client)
