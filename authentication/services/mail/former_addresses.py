"""Security mails to the addresses that an account had, while leaving them can still be undone."""

import datetime as dt
import uuid

from django.db import transaction

from authentication.models import EmailChange, OutgoingEmail, User
from authentication.services.background import enqueue

Kind = OutgoingEmail.Kind
# These answer a request of the address that they go to, or are such copies.
_OWN_ADDRESS_ONLY = frozenset(
    {
        Kind.VERIFICATION,
        Kind.PASSWORD_RESET,
        Kind.ACCOUNT_EXISTS,
        Kind.EMAIL_CHANGE,
        Kind.EXPORT_READY,
        Kind.EXPORT_FAILED,
        Kind.FORMER_ADDRESS,
        Kind.INVITATION,
    }
)


def recipient(mail: OutgoingEmail, user: User, *, at: dt.datetime) -> str:
    """Return the address that a mail goes to.

    A security mail goes to the address that the account had when the mail was queued: its link must
    not reach an address that came later.
    """
    if mail.kind in _OWN_ADDRESS_ONLY:
        return user.email
    later = EmailChange.objects.moved(user.pk, at=at).filter(confirmed_at__gt=mail.created_at)
    address = later.values_list("old_email", flat=True).first()
    return address or user.email


def queue_copies(mail: OutgoingEmail, user: User, *, task: str, at: dt.datetime) -> None:
    """Queue a copy of a security mail for each address that the account had left by then.

    It says what happened and has the link to undo the change of address. Repeated, it queues none.
    """
    if mail.kind in _OWN_ADDRESS_ONLY:
        return
    left = EmailChange.objects.moved(user.pk, at=at).filter(confirmed_at__lte=mail.created_at)
    seen, copies = {user.email_canonical}, []
    for change in left:
        if change.old_email_canonical in seen:
            continue
        seen.add(change.old_email_canonical)
        about = {"change": str(change.pk), "about": mail.kind}
        pk = uuid.uuid5(mail.pk, str(change.pk))
        copy = OutgoingEmail(pk=pk, user=user, kind=Kind.FORMER_ADDRESS, context=about)
        copy.created_at, copy.correlation_id = at, mail.correlation_id
        copies.append(copy)
    if copies:
        with transaction.atomic():
            OutgoingEmail.objects.bulk_create(copies, ignore_conflicts=True)
            for copy in copies:
                enqueue(task, str(copy.pk))
