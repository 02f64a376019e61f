"""Requests, cancels and carries out the deletion of an account."""

import datetime as dt
import time
import uuid

from django.conf import settings
from django.utils import timezone

from authentication.exceptions import SessionOver
from authentication.models import (
    SensitiveChange,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.acting import acting
from authentication.services.audit import Event, Risk, record
from authentication.services.background import enqueue
from authentication.services.mail import EmailService, Kind
from authentication.services.ranks import check_not_last_owner
from authentication.services.revocation import end_all_sessions
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest
from authentication.utils.receipts import new_receipt

from .erasure import OutOfTimeError, erase

# Within the time limit of a task.
_ERASING_SECONDS = 20


class DeletionService:
    """Deleting an account: requested, cancelled during the grace, carried out after it."""

    @staticmethod
    def request(session: UserSession, *, client: ClientInfo) -> dt.datetime:
        """End every session and schedule the erasure; return when it is due.

        A sign-in with `restore` cancels it until then.

        Raises SessionOver, ReauthenticationRequired, PermissionRefused for the only superuser.
        """
        now = timezone.now()
        due_at: dt.datetime = now + settings.ACCOUNT_DELETION_GRACE
        with acting(session, recent_proof=True) as user:
            check_not_last_owner(user)
            receipt = new_receipt()
            if not User.objects.request_deletion(user.pk, receipt=digest(receipt), at=now):
                raise SessionOver
            # A sign-in that waits for its code did not ask to restore the account.
            SignInChallenge.objects.filter(user=user).delete()
            end_all_sessions(user, reason=TokenBlacklist.Reason.DELETION, at=now)
            change = SensitiveChange.objects.note(
                SensitiveChange.Kind.DELETION, session=session, at=now
            )
            record(Event.ACCOUNT_DELETION_REQUESTED, user_id=user.pk, client=client, risk=Risk.HIGH)
            about = {"undo": str(change.pk), "due": due_at.isoformat(), "receipt": receipt}
            EmailService.queue(Kind.ACCOUNT_DELETED, user_id=user.pk, **about)
        return due_at

    @staticmethod
    def erase(user_id: str | uuid.UUID, *, seconds: float = _ERASING_SECONDS) -> None:
        """Erase an account now; after so many seconds another task goes on.

        Raises what the erasure raises.
        """
        pk = uuid.UUID(str(user_id))
        User.objects.release_erasure(pk)
        try:
            erase(pk, deadline=time.monotonic() + seconds)
        except OutOfTimeError:
            enqueue("authentication.tasks.erase_account", str(pk))
