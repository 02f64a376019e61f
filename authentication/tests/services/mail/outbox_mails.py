"""Mails in the outbox, and a mail server that fails."""

import smtplib
from collections.abc import Sequence
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService

Kind = OutgoingEmail.Kind


class BrokenServer(BaseEmailBackend):
    """A mail server that refuses the recipient for now and names them in its error."""

    reply = (451, b"4.3.0 out of order")

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        raise smtplib.SMTPRecipientsRefused({email_messages[0].to[0]: self.reply})


class NoSuchMailbox(BrokenServer):
    """A mail server that has no mailbox of the recipient."""

    reply = (550, b"5.1.1 no such person")


class RefusedByPolicy(BrokenServer):
    """A mail server that refuses the recipient by its policy, whether the mailbox exists or not."""

    reply = (550, b"5.7.1 blocked")


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


def refuse_recipients(settings: Settings, server: type[BrokenServer]) -> None:
    """Send mails through a server that refuses them."""
    settings.EMAIL_BACKEND = f"{server.__module__}.{server.__name__}"
