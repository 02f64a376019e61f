"""Accounts whose addresses take no mail."""

import datetime as dt
import uuid

from django.db import transaction

from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo


def record_bounce(user_id: uuid.UUID, *, at: dt.datetime) -> None:
    """Mark an account whose address the mail server refused: it has no such mailbox."""
    mark_unreachable(user_id, complained=False, at=at, client=ClientInfo())


def mark_unreachable(
    user_id: uuid.UUID, *, complained: bool, at: dt.datetime, client: ClientInfo
) -> None:
    """Mark an account whose address bounced or complained, unless it was verified since."""
    found = Event.EMAIL_COMPLAINED if complained else Event.EMAIL_BOUNCED
    with transaction.atomic():
        if User.objects.mark_unreachable(user_id, complained=complained, at=at):
            record(found, user_id=user_id, client=client, risk=Risk.MEDIUM, success=False)
