"""Mails in the outbox, and a mail server that fails."""

import smtplib
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService

Kind = OutgoingEmail.Kind


class BrokenServer(BaseEmailBackend):
    """A mail server that refuses the recipient and names them in its error."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise smtplib.SMTPRecipientsRefused({email_messages[0].to[0]: (550, b"no such person")})


def queue_mail(
    kind: str = Kind.ACCOUNT_LOCKED, *, user: User | None, **context: Any
) -> OutgoingEmail:
    """Queue a mail; return its row."""
    before = set(OutgoingEmail.objects.values_list("pk", flat=True))
    EmailService.queue(kind, user_id=user.pk if user else None, **context)
    return OutgoingEmail.objects.exclude(pk__in=before).get()


def states() -> list[tuple[str, int]]:
    """Return the status and the attempts of every mail, oldest first."""
    return list(
        OutgoingEmail.objects.order_by("created_at", "pk").values_list("status", "attempts")
    )
