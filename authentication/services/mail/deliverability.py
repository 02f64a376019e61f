"""Bounces, spam complaints and the choice of mails."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable

from django.core import signing
from django.utils import timezone

from authentication.exceptions import LinkInvalid
from authentication.models import SensitiveChange, User, UserSession
from authentication.services.acting import acting, locked_account
from authentication.services.audit import Event, record
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_email
from authentication.utils.sendgrid import BOUNCED, MailEvent

from .bounces import mark_unreachable
from .outbox import EmailService, Kind
from .unsubscribe import read_unsubscribe_token


class DeliverabilityService:
    """Bounces, spam complaints and the choice of mails."""

    @staticmethod
    def record_events(events: Iterable[MailEvent], *, client: ClientInfo) -> None:
        """Mark the accounts whose addresses bounced or complained.

        Unknown addresses are ignored. So are repeated events, and events older than the last
        verification of the address.
        """
        for event in events:
            user_id = (
                User.objects.identified_by(canonical_email(event.address))
                .values_list("pk", flat=True)
                .first()
            )
            if user_id is None:
                continue
            complained = event.kind != BOUNCED
            mark_unreachable(user_id, complained=complained, at=event.at, client=client)

    @staticmethod
    def set_notices(session: UserSession, *, wanted: bool, client: ClientInfo) -> None:
        """Store whether a user wants mails that are not about the safety of their account.

        Turning them off needs a recent proof, and a mail with a link to undo it follows: among them
        is the mail about an unknown device.

        Raises SessionOver, ReauthenticationRequired.
        """
        now = timezone.now()
        with acting(session, recent_proof=not wanted) as user:
            if _want_notices(user.pk, wanted=wanted, client=client, at=now) and not wanted:
                change = SensitiveChange.objects.note(
                    SensitiveChange.Kind.NOTICES, session=session, at=now
                )
                about = {"undo": str(change.pk), "when": now.isoformat()}
                EmailService.queue(Kind.NOTICES_STOPPED, user_id=user.pk, **about)

    @staticmethod
    def unsubscribe(*, token: str, client: ClientInfo) -> None:
        """Turn notices off for the user of an unsubscribe link.

        An address that the account has left gets no more mails, and its links change nothing: they
        may have been mailed to a thief. Raises LinkInvalid if the token was not signed by us.
        """
        try:
            mailed = read_unsubscribe_token(token)
        except signing.BadSignature:
            raise LinkInvalid from None
        with contextlib.suppress(User.DoesNotExist), locked_account(mailed.user_id) as user:
            if mailed.is_for(user.email_canonical):
                _want_notices(user.pk, wanted=False, client=client, at=timezone.now())


def _want_notices(user_id: uuid.UUID, *, wanted: bool, client: ClientInfo, at: dt.datetime) -> bool:
    changed: bool = User.objects.want_notices(user_id, wanted=wanted, at=at)
    if changed:
        record(Event.NOTICES_CHANGED, user_id=user_id, client=client, wanted=wanted)
    return changed
