"""Mails to an address that a user asked to move to, and that may be another user's.

The user must not learn whether it is, so nothing that they can see depends on it: the decision is
made when the mail is sent, and the row of the mail, the link and the change are the same.
"""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from authentication.models import EmailChange, OutgoingEmail, User
from authentication.services.acting import locked_account

_HOUR = dt.timedelta(hours=1)
Kind, Status = OutgoingEmail.Kind, OutgoingEmail.Status


def divert(mail: OutgoingEmail, change: EmailChange) -> dict[str, Any]:
    """Return what replaces the context of the mail that confirms a new address.

    It is empty for a free address. The owner of a taken one gets the mail that they have an account
    already, instead of the link. A reader who has had the hour's mails gets none.
    """
    at = timezone.now()
    owner_id = _owner_of(change.new_email_canonical, at=at)
    if owner_id in {None, change.user_id}:
        return {"withheld": _is_pestered(change)}
    try:
        with locked_account(owner_id) as owner:
            withheld = not _note_for_owner(mail, owner, at=at)
    except User.DoesNotExist:
        return {"withheld": _is_pestered(change)}
    return _as_account_exists(owner, withheld=withheld)


def divert_from_members(mail: OutgoingEmail, canonical: str) -> dict[str, Any]:
    """Return what replaces the context of an invitation to a member; {} if there is none.

    A member is an account with this address that has proven it, or that can still undo leaving it.
    """
    at = timezone.now()
    members = User.objects.identified_by(canonical).filter(email_verified=True)
    pk = members.values_list("pk", flat=True).first() or _reserver_of(canonical, at=at)
    if pk is None:
        return {}
    try:
        with locked_account(pk) as owner:
            withheld = not _note_for_owner(mail, owner, at=at)
    except User.DoesNotExist:
        return {}
    return _as_account_exists(owner, withheld=withheld)


def _as_account_exists(owner: User, *, withheld: bool) -> dict[str, Any]:
    """Return the context of the mail that tells an owner that they have an account."""
    return {"withheld": withheld, "kind": Kind.ACCOUNT_EXISTS, "user": owner, "to": owner.email}


def _owner_of(canonical: str, *, at: dt.datetime) -> Any:
    """Return the id of the account that owns an address or can still undo leaving it.

    An unproven account that was never used does not own it: it gives way to a proof.
    """
    owners = User.objects.identified_by(canonical).filter(
        Q(email_verified=True) | Q(last_login__isnull=False)
    )
    return owners.values_list("pk", flat=True).first() or _reserver_of(canonical, at=at)


def _reserver_of(canonical: str, *, at: dt.datetime) -> Any:
    reserving = EmailChange.objects.reserving(canonical, at=at)
    return reserving.values_list("user_id", flat=True).first()


def _note_for_owner(mail: OutgoingEmail, owner: User, *, at: dt.datetime) -> bool:
    """Store the owner's mail among theirs; False if they get none.

    That is so if they have had the hour's mails, if the account is closed, and if its address is
    not proven: its reader may have no account. Lock the account first. A further attempt of the
    same mail finds the row and counts once.
    """
    pk = uuid.uuid5(mail.pk, Kind.ACCOUNT_EXISTS)
    theirs = OutgoingEmail.objects.filter(user=owner, kind=Kind.ACCOUNT_EXISTS)
    if theirs.filter(pk=pk).exists():
        return True
    recent = theirs.filter(Q(sent_at__gt=at - _HOUR) | Q(status=Status.SENDING))
    may_get_mail = owner.is_active and owner.email_verified
    if not may_get_mail or recent.count() >= settings.EMAIL_HOURLY_LIMIT:
        return False
    OutgoingEmail.objects.create(
        pk=pk, user=owner, kind=Kind.ACCOUNT_EXISTS, status=Status.SENT, attempts=1, sent_at=at
    )
    return True


def _is_pestered(change: EmailChange) -> bool:
    """Return whether the address had its hour's mails before, whichever accounts asked for them."""
    at = change.requested_at
    earlier = Q(requested_at__lt=at) | Q(requested_at=at, pk__lt=change.pk)
    before = EmailChange.objects.filter(
        earlier, new_email_canonical=change.new_email_canonical, requested_at__gt=at - _HOUR
    )
    return before.count() >= settings.EMAIL_HOURLY_LIMIT
