"""Erasure of an account (GDPR, article 17). After a crash it can be run again."""

import hmac
import uuid
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from authentication.models import (
    AuditLog,
    EmailChange,
    FailedTask,
    SensitiveChange,
    User,
    UsernameHold,
)
from authentication.services.audit import STAFF_EVENTS, Event, Risk, record
from authentication.services.mail import delete_mail_files
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import new_token, pseudonym
from authentication.utils.identifiers import canonical_email, canonical_username

from .admin_sessions import delete_admin_sessions

_BATCH = 1_000


def erase(user_id: uuid.UUID) -> bool:
    """Erase an account; return False if it was restored or is already erased.

    Audit events stay, under a pseudonym: an HMAC of the user id under a random key of the account.
    The key is deleted with the account. From then on the events of one user can still be told
    from those of others, but not linked to the person.
    """
    user = User.objects.begin_erasure(user_id, key=new_token())
    if user is None:
        return False
    subject = hmac.digest(user.erasure_key.encode(), user.pk.bytes, "sha256").hex()[:32]
    _anonymize(AuditLog.objects.filter(user=user), subject)
    # Failed sign-ins by these names have no user. Some are older than the account.
    _anonymize(AuditLog.objects.filter(user=None, metadata__name__in=_pseudonyms_of(user)), subject)
    _anonymize_actor(str(user.pk), subject)
    if user.last_login:
        delete_admin_sessions(user.pk)
    _delete_related(user)
    with transaction.atomic():
        record(
            Event.ACCOUNT_ERASED, user_id=None, client=ClientInfo(), risk=Risk.HIGH, subject=subject
        )
        if user.email_verified or user.last_login:
            # As after a change of the name: a name that is free at once would reveal the deletion.
            # That of an account that was never used is free when the account is forgotten.
            UsernameHold.objects.leave(user.username, user_id=None, at=timezone.now())
        User.objects.filter(pk=user.pk).delete()
    return True


def _pseudonyms_of(user: User) -> list[str]:
    addresses = {user.email_canonical}
    for change in EmailChange.objects.filter(user=user):
        addresses |= {change.old_email_canonical, change.new_email_canonical}
    names = {user.username_canonical}
    renamed = SensitiveChange.objects.filter(user=user, kind=SensitiveChange.Kind.USERNAME)
    names |= {canonical_username(change.details["from"]) for change in renamed}
    return [pseudonym("identifier", name) for name in (*addresses, *names)]


def _anonymize(events: QuerySet[AuditLog], subject: str) -> None:
    """Remove all personal data from events, in batches that hold row locks only briefly."""
    blank: dict[str, Any] = {
        "user": None,
        "ip_address": None,
        "user_agent": "",
        "description": "",
        "correlation_id": "",
    }
    while keys := list(events.values_list("pk", flat=True)[:_BATCH]):
        AuditLog.objects.filter(pk__in=keys).update(**blank, metadata={"subject": subject})


def _anonymize_actor(user_id: str, subject: str) -> None:
    """Remove a member of staff from the events of other accounts: id, address and browser."""
    acted = AuditLog.objects.filter(event_type__in=STAFF_EVENTS, metadata__actor=user_id)
    for event in acted.iterator():
        event.metadata["actor"] = subject
        event.ip_address, event.user_agent, event.correlation_id = None, "", ""
        event.save(update_fields=["metadata", "ip_address", "user_agent", "correlation_id"])


def _delete_related(user: User) -> None:
    FailedTask.objects.annotate(text=Cast("arguments", TextField())).filter(
        text__contains=str(user.pk)
    ).delete()
    # Admin actions are in our audit log. Django's LogEntry contains the name of the account.
    LogEntry.objects.filter(object_id=str(user.pk)).delete()
    changes = EmailChange.objects.filter(user=user).values_list("old_email", "new_email")
    delete_mail_files(
        {
            canonical_email(it)
            for it in (user.email, *(address for pair in changes for address in pair))
        }
    )
