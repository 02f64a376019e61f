"""Building block: the outbox, from a mail's intent to its arrival (contract 8)."""

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
from authentication.services.background import enqueue

from .email_context import EmailObsolete, context_for
from .rendering import render_email
from .unsubscribe import unsubscribe_token

Kind = OutgoingEmail.Kind
_Status = OutgoingEmail.Status

_DELIVER = "authentication.tasks.deliver_email"
_SWEEP_BATCH = 500
# What is not about the safety of the account: a person may do without.
NOTICES = frozenset({Kind.NEW_DEVICE})
_HOUR = dt.timedelta(hours=1)
_FIRST_PAUSE_SECONDS = 30

logger = structlog.get_logger(__name__)


class EmailService:
    """What happens to a mail."""

    @staticmethod
    def queue(kind: str, *, user_id: uuid.UUID | None, **context: Any) -> None:
        """Write down that a person is to be mailed, in the transaction of what causes it; `context` is not secret.

        Without a person the row is a decoy: unknown addresses cost the same work as known ones.
        """
        mail = OutgoingEmail.objects.create(kind=kind, user_id=user_id, context=context)
        enqueue(_DELIVER, str(mail.pk))

    @staticmethod
    def send_verification_email(user: User) -> None:
        """Mail a person the link that proves their address, with a new token."""
        with transaction.atomic():
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)

    @staticmethod
    def deliver(email_id: str | uuid.UUID) -> None:
        """Send a mail, unless another sender has it; a failure is tried again later, at most eight times in all."""
        now, pk = timezone.now(), uuid.UUID(str(email_id))
        if not OutgoingEmail.objects.claim(pk, at=now):
            return
        mail = OutgoingEmail.objects.select_related("user").get(pk=pk)
        if mail.user is None:
            mail.delete()
        elif _is_wanted(mail, mail.user, at=now):
            _send(mail, mail.user)
        else:
            _close(mail, _Status.SUPPRESSED)

    @staticmethod
    def send_again(email_id: uuid.UUID) -> bool:
        """Put a dead letter back into the outbox; False if it is none."""
        with transaction.atomic():
            dead = OutgoingEmail.objects.filter(pk=email_id, status=_Status.DEAD)
            revived = dead.update(
                status=_Status.QUEUED, attempts=0, last_error="", next_attempt_at=timezone.now()
            )
            if revived:
                enqueue(_DELIVER, str(email_id))
        return bool(revived)

    @staticmethod
    def sweep() -> None:
        """Have the mails sent that are due: those a lost task left behind and those to be tried again."""
        for pk in EmailService.due():
            # The next sweep would only say it again.
            enqueue(_DELIVER, str(pk), expires=settings.EMAIL_SWEEP_SECONDS)

    @staticmethod
    def due() -> list[uuid.UUID]:
        """Return the mails that wait to be sent now, those that wait longest first, as many as one sweep takes."""
        waiting = OutgoingEmail.objects.due(at=timezone.now()).order_by("next_attempt_at")
        return list(waiting.values_list("pk", flat=True)[:_SWEEP_BATCH])


def _is_wanted(mail: OutgoingEmail, user: User, *, at: dt.datetime) -> bool:
    if not user.is_active or (mail.kind == Kind.VERIFICATION and user.email_verified):
        return False
    if mail.kind in NOTICES and (
        user.email_bounced_at or user.email_complained_at or user.notices_stopped_at
    ):
        return False
    with transaction.atomic():
        # Two senders of mails to one person take turns here, or both would count the other's mail
        # as unsent.
        User.objects.hold(user.pk)
        others = OutgoingEmail.objects.filter(user=user, kind=mail.kind).exclude(pk=mail.pk)
        recent = others.filter(Q(sent_at__gt=at - _HOUR) | Q(status=_Status.SENDING))
        if recent.count() >= settings.EMAIL_HOURLY_LIMIT:
            return False
        OutgoingEmail.objects.filter(pk=mail.pk).update(status=_Status.SENDING)
        return True


def _send(mail: OutgoingEmail, user: User) -> None:
    try:
        _message(mail, user).send()
    except EmailObsolete:
        _close(mail, _Status.SUPPRESSED)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the mail has to be tried again
        _postpone(mail, error)
    else:
        _close(mail, _Status.SENT)


def _message(mail: OutgoingEmail, user: User) -> EmailMultiAlternatives:
    facts = context_for(mail, user)
    text = render_email(mail.kind, facts)
    message = EmailMultiAlternatives(
        subject=text.subject,
        body=text.text,
        to=[facts.get("to", user.email)],
        reply_to=[settings.SUPPORT_EMAIL],
        headers={"Auto-Submitted": "auto-generated", **_unsubscribing(mail, user)},
    )
    message.attach_alternative(text.html, "text/html")
    return message


def _unsubscribing(mail: OutgoingEmail, user: User) -> dict[str, str]:
    """Return how to end mails of this kind with one click (RFC 8058); security mail cannot be ended."""
    if mail.kind not in NOTICES:
        return {}
    link = f"{settings.BACKEND_URL}/account/unsubscribe/?token={unsubscribe_token(user.pk)}"
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _postpone(mail: OutgoingEmail, error: Exception) -> None:
    # An error's text may hold the address; its class says enough.
    fault = type(error).__name__
    logger.warning(
        "email_failed", email_id=str(mail.pk), kind=mail.kind, attempts=mail.attempts, fault=fault
    )
    mail.last_error, mail.status = fault[:100], _Status.QUEUED
    if mail.attempts >= settings.EMAIL_MAX_ATTEMPTS:
        _close(mail, _Status.DEAD)
        return
    mail.next_attempt_at = timezone.now() + dt.timedelta(
        seconds=_FIRST_PAUSE_SECONDS * 2 ** (mail.attempts - 1)
    )
    mail.save(update_fields=["status", "last_error", "next_attempt_at"])


def _close(mail: OutgoingEmail, status: str) -> None:
    mail.status = status
    mail.sent_at = timezone.now() if status == _Status.SENT else None
    mail.save(update_fields=["status", "sent_at", "last_error"])
