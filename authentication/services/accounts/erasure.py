"""Building block: forgetting a person (GDPR, article 17). Killed in the middle, it goes on where it stopped."""

import hmac
import uuid
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from authentication.models import AuditLog, EmailChange, FailedTask, User
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import delete_mail_files
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import new_token, pseudonym
from authentication.utils.identifiers import canonical_email

_BATCH = 1_000


def erase(user_id: uuid.UUID) -> bool:
    """Forget a person for good; False if they have come back, or are gone already.

    What happened stays written down, under a name that a key of their own made. The key goes with
    the account: from then on nobody can tell whose events they were, though they can still be told
    from other people's.
    """
    user = User.objects.begin_erasure(user_id, key=new_token())
    if user is None:
        return False
    subject = hmac.digest(user.erasure_key.encode(), user.pk.bytes, "sha256").hex()[:32]
    _blank(AuditLog.objects.filter(user=user), subject)
    # Failures on their names, from before they had an account too.
    _blank(AuditLog.objects.filter(user=None, metadata__name__in=_names_of(user)), subject)
    _rename_actor(str(user.pk), subject)
    _forget_elsewhere(user)
    with transaction.atomic():
        record(
            Event.ACCOUNT_ERASED, user_id=None, client=ClientInfo(), risk=Risk.HIGH, subject=subject
        )
        User.objects.filter(pk=user.pk).delete()
    return True


def _names_of(user: User) -> list[str]:
    addresses = {user.email_canonical}
    for change in EmailChange.objects.filter(user=user):
        addresses |= {change.old_email_canonical, change.new_email_canonical}
    return [pseudonym("identifier", name) for name in (*addresses, user.username_canonical)]


def _blank(events: QuerySet[AuditLog], subject: str) -> None:
    """Take whatever points at a person out of events, a batch at a time: nobody waits for it."""
    nothing: dict[str, Any] = {
        "user": None,
        "ip_address": None,
        "user_agent": "",
        "description": "",
        "correlation_id": "",
    }
    while keys := list(events.values_list("pk", flat=True)[:_BATCH]):
        AuditLog.objects.filter(pk__in=keys).update(**nothing, metadata={"subject": subject})


def _rename_actor(person: str, subject: str) -> None:
    for event in AuditLog.objects.filter(metadata__actor=person).iterator():
        event.metadata["actor"] = subject
        event.save(update_fields=["metadata"])


def _forget_elsewhere(user: User) -> None:
    FailedTask.objects.annotate(text=Cast("arguments", TextField())).filter(
        text__contains=str(user.pk)
    ).delete()
    # What staff did to them at the desk is in the audit log; Django's own list has their name.
    LogEntry.objects.filter(object_id=str(user.pk)).delete()
    changes = EmailChange.objects.filter(user=user).values_list("old_email", "new_email")
    delete_mail_files(
        {
            canonical_email(it)
            for it in (user.email, *(address for pair in changes for address in pair))
        }
    )
