"""The outbox: queueing, sending and retrying mails."""

import datetime as dt
import uuid
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from authentication.models import OutgoingEmail, User
from authentication.services.acting import locked_account
from authentication.services.background import enqueue
from authentication.utils.clock import LEEWAY

from .email_context import EmailObsolete, context_for
from .former_addresses import queue_copies, recipient
from .rendering import render_email
from .unsubscribe import unsubscribe_token

Kind = OutgoingEmail.Kind
_Status = OutgoingEmail.Status

_DELIVER = "authentication.tasks.deliver_email"
_SWEEP_BATCH = 500
# Mails that are not security mails: users can unsubscribe from them.
NOTICES = frozenset({Kind.NEW_DEVICE})
_HOUR = dt.timedelta(hours=1)
_FIRST_RETRY_SECONDS = 30

logger = structlog.get_logger(__name__)


class EmailService:
    """Queueing, sending and retrying mails."""

    @staticmethod
    def queue(kind: str, *, user_id: uuid.UUID | None, **context: Any) -> None:
        """Store a mail in the current transaction; it is sent after the commit.

        `context` must not contain secrets. Without a user the row is a decoy, so that unknown
        addresses cost the same work as known ones.
        """
        # Due at once, by a worker's clock too that is behind: else it would wait for the sweep.
        due_at = timezone.now() - LEEWAY
        mail = OutgoingEmail.objects.create(
            kind=kind, user_id=user_id, context=context, next_attempt_at=due_at
        )
        enqueue(_DELIVER, str(mail.pk))

    @staticmethod
    def send_verification_email(user: User) -> None:
        """Queue a mail with a new verification link."""
        with transaction.atomic():
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)

    @staticmethod
    def deliver(email_id: str | uuid.UUID) -> None:
        """Send a mail, unless another sender has claimed it.

        A failed mail is retried with growing delays. After EMAIL_MAX_ATTEMPTS it is a dead letter.
        """
        now, pk = timezone.now(), uuid.UUID(str(email_id))
        if not OutgoingEmail.objects.claim(pk, at=now):
            return
        mail = OutgoingEmail.objects.select_related("user").get(pk=pk)
        if mail.user is None:
            mail.delete()
            return
        queue_copies(mail, mail.user, task=_DELIVER, at=now)
        if _may_send(mail, mail.user, at=now):
            _send(mail, mail.user)
        else:
            _finish(mail, _Status.SUPPRESSED)

    @staticmethod
    def send_again(email_id: uuid.UUID) -> bool:
        """Queue a dead letter again; return False if the mail is not one."""
        with transaction.atomic():
            dead = OutgoingEmail.objects.filter(pk=email_id, status=_Status.DEAD)
            revived = dead.update(
                status=_Status.QUEUED,
                attempts=0,
                last_error="",
                next_attempt_at=timezone.now() - LEEWAY,
            )
            if revived:
                enqueue(_DELIVER, str(email_id))
        return bool(revived)

    @staticmethod
    def sweep() -> None:
        """Queue tasks for all due mails: retries, and mails whose task was lost."""
        for pk in EmailService.due():
            # The task expires because the next sweep queues a new one.
            enqueue(_DELIVER, str(pk), expires=settings.EMAIL_SWEEP_SECONDS)

    @staticmethod
    def due() -> list[uuid.UUID]:
        """Return the ids of at most 500 due mails, those that wait longest first."""
        waiting = OutgoingEmail.objects.due(at=timezone.now()).order_by("next_attempt_at")
        return list(waiting.values_list("pk", flat=True)[:_SWEEP_BATCH])


def _may_send(mail: OutgoingEmail, user: User, *, at: dt.datetime) -> bool:
    if not user.is_active or (mail.kind == Kind.VERIFICATION and user.email_verified):
        return False
    if mail.kind in NOTICES and (
        user.email_bounced_at or user.email_complained_at or user.notices_stopped_at
    ):
        return False
    # Two senders of mails to one user take turns: else each would count the other's as unsent.
    with locked_account(user.pk):
        others = OutgoingEmail.objects.filter(user=user, kind=mail.kind).exclude(pk=mail.pk)
        if mail.kind == Kind.FORMER_ADDRESS:
            # Each address has a limit of its own for each kind.
            same = ("change", "about")
            others = others.filter(**{f"context__{it}": mail.context.get(it) for it in same})
        recent = others.filter(Q(sent_at__gt=at - _HOUR) | Q(status=_Status.SENDING))
        if recent.count() >= settings.EMAIL_HOURLY_LIMIT:
            return False
        OutgoingEmail.objects.filter(pk=mail.pk).update(status=_Status.SENDING)
        return True


def _send(mail: OutgoingEmail, user: User) -> None:
    try:
        _message(mail, user).send()
    except EmailObsolete:
        _finish(mail, _Status.SUPPRESSED)
    except Exception as error:  # noqa: BLE001 -- any error means a retry
        _schedule_retry(mail, error)
    else:
        _finish(mail, _Status.SENT)


def _message(mail: OutgoingEmail, user: User) -> EmailMultiAlternatives:
    context = context_for(mail, user)
    content = render_email(mail.kind, context)
    message = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        to=[context.get("to") or recipient(mail, user, at=timezone.now())],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={"Auto-Submitted": "auto-generated", **_unsubscribe_headers(mail, user)},
    )
    message.attach_alternative(content.html, "text/html")
    return message


def _unsubscribe_headers(mail: OutgoingEmail, user: User) -> dict[str, str]:
    """Return the headers for one-click unsubscribing (RFC 8058); none for security mails."""
    if mail.kind not in NOTICES:
        return {}
    link = f"{settings.BACKEND_URL}/account/unsubscribe/?token={unsubscribe_token(user.pk)}"
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _schedule_retry(mail: OutgoingEmail, error: Exception) -> None:
    # The message of an error may contain the address, so only its class is logged.
    fault = type(error).__name__
    logger.warning(
        "email_failed", email_id=str(mail.pk), kind=mail.kind, attempts=mail.attempts, fault=fault
    )
    mail.last_error, mail.status = fault[:100], _Status.QUEUED
    if mail.attempts >= settings.EMAIL_MAX_ATTEMPTS:
        _finish(mail, _Status.DEAD)
        return
    mail.next_attempt_at = timezone.now() + dt.timedelta(
        seconds=_FIRST_RETRY_SECONDS * 2 ** (mail.attempts - 1)
    )
    mail.save(update_fields=["status", "last_error", "next_attempt_at"])


def _finish(mail: OutgoingEmail, status: str) -> None:
    mail.status = status
    mail.sent_at = timezone.now() if status == _Status.SENT else None
    mail.save(update_fields=["status", "sent_at", "last_error"])
