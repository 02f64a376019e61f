"""Leaving: asked for, taken back within the days of grace, carried out after them."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import TokenInvalid
from authentication.models import SignInChallenge, TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo

from .erasure import erase


class DeletionService:
    """Leaving: asked for, taken back within the days of grace, carried out after them."""

    @staticmethod
    def request(user: User, *, client: ClientInfo) -> dt.datetime:
        """Sign a person out everywhere and have their account erased when the grace is over; return when that is.

        Signing in until then takes it back.

        Raises TokenInvalid if that was asked for already, which has ended the session.
        """
        now = timezone.now()
        due_at: dt.datetime = now + settings.ACCOUNT_DELETION_GRACE
        with transaction.atomic():
            if not User.objects.request_deletion(user.pk, at=now):
                raise TokenInvalid
            UserSession.objects.filter(user=user).end(reason=TokenBlacklist.Reason.DELETION, at=now)
            # A sign-in that waits for its code knew of no deletion and may not take it back.
            SignInChallenge.objects.filter(user=user).delete()
            record(Event.ACCOUNT_DELETION_REQUESTED, user_id=user.pk, client=client, risk=Risk.HIGH)
            EmailService.queue(Kind.ACCOUNT_DELETED, user_id=user.pk, due=due_at.isoformat())
        return due_at

    @staticmethod
    def erase_due() -> int:
        """Erase the accounts whose grace is over; return how many."""
        due = User.objects.due_for_erasure(at=timezone.now()).values_list("pk", flat=True)
        return sum(erase(pk) for pk in list(due))
