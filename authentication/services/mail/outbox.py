"""The outbox: queueing, sending and retrying mails."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from structlog.contextvars import get_contextvars

from authentication.exceptions import PermissionRefused
from authentication.models import OutgoingEmail, User
from authentication.services.acting import locked_account
from authentication.services.background import enqueue, waiting_beside
from authentication.utils.clock import LEEWAY

from .former_addresses import queue_copies
from .invitation_mails import addressee_of, invitation_of
from .message import NOTICES, build_message
from .obsolete import EmailObsolete
from .outcomes import finish, handle_failure

Kind = OutgoingEmail.Kind
_Status = OutgoingEmail.Status

_DELIVER = "authentication.tasks.deliver_email"
_SWEEP_BATCH = 500
_HOUR = dt.timedelta(hours=1)
_PROVEN = "This address is verified already."
_OVER_LIMIT = (
    "This account gets no more mails of this kind for now: it had {limit} within the hour."
    " Please try again later."
)


class EmailService:
    """Queueing, sending and retrying mails."""

    @staticmethod
    def queue(kind: str, *, user_id: uuid.UUID | None, **context: Any) -> None:
        """Store a mail in the current transaction; it is sent after the commit.

        `context` must not contain secrets. Without a user the row is a decoy, so that unknown
        addresses cost the same work as known ones.
        """
        mail = EmailService.prepare(kind, user_id=user_id, **context)
        mail.save(force_insert=True)
        EmailService.send_stored(mail)

    @staticmethod
    def prepare(kind: str, *, user_id: uuid.UUID | None, **context: Any) -> OutgoingEmail:
        """Return a mail that the caller stores and then gives to `send_stored`; see `queue`."""
        return OutgoingEmail(
            kind=kind,
            user_id=user_id,
            context=context,
            correlation_id=get_contextvars().get("correlation_id", ""),
            # Due at once, by a worker's clock too that is behind: else it would wait for the sweep.
            next_attempt_at=timezone.now() - LEEWAY,
        )

    @staticmethod
    def send_stored(mail: OutgoingEmail) -> None:
        """Send a stored mail after the commit."""
        enqueue(_DELIVER, str(mail.pk))

    @staticmethod
    def send_now(kind: str, *, user_id: uuid.UUID, **context: Any) -> bool:
        """Send a mail in this process, before what it tells is done; False if it is not sent.

        Then it is not sent later either.
        """
        mail = EmailService.prepare(kind, user_id=user_id, **context)
        mail.save(force_insert=True)
        EmailService.deliver(mail.pk)
        mail.refresh_from_db()
        OutgoingEmail.objects.filter(pk=mail.pk, status=_Status.QUEUED).update(
            status=_Status.SUPPRESSED
        )
        return mail.status == _Status.SENT

    @staticmethod
    def send_verification_email(user: User) -> None:
        """Queue a mail with a new verification link."""
        with transaction.atomic():
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)

    @staticmethod
    def deliver(email_id: str | uuid.UUID) -> None:
        """Send a mail, unless another sender has claimed it.

        A failed mail is retried after 5 and 20 seconds, then with growing delays. After
        EMAIL_MAX_ATTEMPTS, or when the recipient is refused for good, it is a dead letter.
        """
        now, pk = timezone.now(), uuid.UUID(str(email_id))
        if not OutgoingEmail.objects.claim(pk, at=now):
            return
        mail = OutgoingEmail.objects.select_related("user").get(pk=pk)
        if mail.kind == Kind.INVITATION:
            _send_invitation(mail)
            return
        if mail.user is None:
            mail.delete()
            return
        queue_copies(mail, mail.user, task=_DELIVER, at=now)
        if _may_send(mail, mail.user, at=now):
            _send(mail, mail.user)
        else:
            finish(mail, _Status.SUPPRESSED)

    @staticmethod
    def send_again(email_id: uuid.UUID) -> bool:
        """Queue a dead letter again; return False if the mail is not one.

        Raises PermissionRefused as `check_limit` does, and for a verification that came meanwhile.
        """
        with transaction.atomic():
            dead = OutgoingEmail.objects.filter(pk=email_id, status=_Status.DEAD)
            mail = dead.select_for_update(of=("self",)).select_related("user").first()
            if mail is None:
                return False
            if mail.user:
                if mail.kind == Kind.VERIFICATION and mail.user.email_verified:
                    raise PermissionRefused(_PROVEN)
                EmailService.check_limit(mail.kind, user_id=mail.user.pk, **mail.context)
            due = timezone.now() - LEEWAY
            dead.update(status=_Status.QUEUED, attempts=0, last_error="", next_attempt_at=due)
            enqueue(_DELIVER, str(email_id))
        return True

    @staticmethod
    def check_limit(kind: str, *, user_id: uuid.UUID, **context: Any) -> None:
        """Check that another mail of a kind to a user would be sent, for staff who ask for it.

        Mails that wait to be sent count towards the hour's limit too.

        Raises PermissionRefused. A mail over the limit is dropped later, after the answer to staff.
        """
        counted = _counted(kind, user_id, _Status.QUEUED, at=timezone.now(), context=context)
        if counted.count() >= settings.EMAIL_HOURLY_LIMIT:
            raise PermissionRefused(_OVER_LIMIT.format(limit=settings.EMAIL_HOURLY_LIMIT))

    @staticmethod
    def sweep() -> None:
        """Queue tasks for due mails: retries, and mails whose task was lost.

        No more than are missing in the queue: while no worker takes them, it must not grow.
        """
        due = EmailService.due()
        for pk in due[: max(0, len(due) - waiting_beside(_DELIVER))]:
            # The task expires because the next sweep queues a new one.
            enqueue(_DELIVER, str(pk), expires=settings.EMAIL_SWEEP_SECONDS)

    @staticmethod
    def due() -> list[uuid.UUID]:
        """Return the ids of at most 500 due mails, those that wait longest first."""
        waiting = OutgoingEmail.objects.due(at=timezone.now()).order_by("next_attempt_at")
        return list(waiting.values_list("pk", flat=True)[:_SWEEP_BATCH])


def _may_send(mail: OutgoingEmail, user: User, *, at: dt.datetime) -> bool:
    if not user.is_active or not user.has_address:
        return False
    # Either mail would say what is not so.
    if mail.kind == (Kind.VERIFICATION if user.email_verified else Kind.ACCOUNT_EXISTS):
        return False
    if mail.kind in NOTICES and (
        user.email_bounced_at or user.email_complained_at or user.notices_stopped_at
    ):
        return False
    # Two senders of mails to one user take turns: else each would count the other's as unsent.
    with locked_account(user.pk):
        others = _counted(mail.kind, user.pk, at=at, context=mail.context).exclude(pk=mail.pk)
        if others.count() >= settings.EMAIL_HOURLY_LIMIT:
            return False
        OutgoingEmail.objects.filter(pk=mail.pk).update(status=_Status.SENDING)
        return True


def _send_invitation(mail: OutgoingEmail) -> None:
    """Send a mail to a person without an account; the hour's limit is that of the address."""
    invitation = invitation_of(mail)
    if invitation is None:
        finish(mail, _Status.SUPPRESSED)
        return
    OutgoingEmail.objects.filter(pk=mail.pk).update(status=_Status.SENDING)
    _send(mail, addressee_of(invitation))


def _counted(
    kind: str, user_id: uuid.UUID, *also: str, at: dt.datetime, context: dict[str, Any]
) -> QuerySet[OutgoingEmail]:
    """Return the mails that count towards the hourly limit of one with this kind and context.

    `also` names states that count besides those of mails sent or being sent.
    """
    recent = Q(sent_at__gt=at - _HOUR) | Q(status__in=(_Status.SENDING, *also))
    mails = OutgoingEmail.objects.filter(recent, user_id=user_id, kind=kind)
    if kind == Kind.FORMER_ADDRESS:
        # Each address has a limit of its own for each kind.
        same = ("change", "about")
        mails = mails.filter(**{f"context__{it}": context.get(it) for it in same})
    return mails


def _send(mail: OutgoingEmail, user: User) -> None:
    try:
        message = build_message(mail, user)
        if message:
            message.send()
    except EmailObsolete:
        finish(mail, _Status.SUPPRESSED)
    except Exception as error:  # noqa: BLE001 -- any error means a retry or the end of them
        handle_failure(mail, user, error, task=_DELIVER)
    else:
        finish(mail, _Status.SENT)
