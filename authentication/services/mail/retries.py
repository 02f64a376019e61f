"""When a mail that failed is tried again."""

import datetime as dt

from django.utils import timezone

from authentication.models import OutgoingEmail
from authentication.services.background import enqueue

# The pauses after the first failures; later ones double, from 30 seconds after the first.
_SOON_SECONDS = (5, 20)
_FIRST_RETRY_SECONDS = 30


def schedule_retry(mail: OutgoingEmail, *, task: str) -> None:
    """Queue a mail for its next attempt."""
    number = mail.attempts - 1
    is_soon = number < len(_SOON_SECONDS)
    pause = _SOON_SECONDS[number] if is_soon else _FIRST_RETRY_SECONDS * 2**number
    mail.status = OutgoingEmail.Status.QUEUED
    mail.next_attempt_at = timezone.now() + dt.timedelta(seconds=pause)
    mail.save(update_fields=["status", "last_error", "next_attempt_at"])
    if is_soon:
        # The sweep comes once a minute, and a person waits for the link.
        enqueue(task, str(mail.pk), delay=pause)
