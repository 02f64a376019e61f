"""How an attempt to send a mail ends: sent, dropped, to be tried again, or given up."""

import datetime as dt

import structlog
from django.conf import settings
from django.utils import timezone

from authentication.models import OutgoingEmail, User
from authentication.services.background import enqueue
from authentication.utils.identifiers import canonical_email

from .bounces import record_bounce
from .refusals import refused_for_good, unknown_mailboxes

_Status = OutgoingEmail.Status
# The pauses between attempts: 5 and 20 seconds, then 120, 240, 480 and so on.
_SOON_SECONDS = (5, 20)
_DOUBLED_SECONDS = 30

logger = structlog.get_logger(__name__)


def finish(mail: OutgoingEmail, status: str) -> None:
    """Store that a mail is sent, dropped or given up."""
    mail.status = status
    mail.sent_at = timezone.now() if status == _Status.SENT else None
    mail.save(update_fields=["status", "sent_at", "last_error"])


def handle_failure(mail: OutgoingEmail, user: User, error: Exception, *, task: str) -> None:
    """Queue a mail for its next attempt by `task`, or give it up.

    It is given up after EMAIL_MAX_ATTEMPTS, or if its recipient is refused for good.
    """
    # The message of an error may contain the address, so only its class is logged.
    fault, refusal = type(error).__name__[:90], refused_for_good(error)
    logger.warning(
        "email_failed", email_id=str(mail.pk), kind=mail.kind, attempts=mail.attempts, fault=fault
    )
    mail.last_error = f"{fault} {refusal}" if refusal else fault
    if refusal:
        if user.email_canonical in map(canonical_email, unknown_mailboxes(error)):
            record_bounce(user.pk, at=timezone.now())
        finish(mail, _Status.DEAD)
    elif mail.attempts >= settings.EMAIL_MAX_ATTEMPTS:
        finish(mail, _Status.DEAD)
    else:
        _schedule(mail, task=task)


def _schedule(mail: OutgoingEmail, *, task: str) -> None:
    number = mail.attempts - 1
    is_soon = number < len(_SOON_SECONDS)
    pause = _SOON_SECONDS[number] if is_soon else _DOUBLED_SECONDS * 2**number
    mail.status = _Status.QUEUED
    mail.next_attempt_at = timezone.now() + dt.timedelta(seconds=pause)
    mail.save(update_fields=["status", "last_error", "next_attempt_at"])
    if is_soon:
        # The sweep comes once a minute, and a person waits for the link.
        enqueue(task, str(mail.pk), delay=pause)
