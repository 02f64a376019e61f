"""Mails to people who are invited, and who may have an account already.

The inviter must not learn whether they have one, so the invitation and the row of its mail are the
same: who gets what is decided when the mail is sent.
"""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.models import Invitation, OutgoingEmail, User

from .address_owners import divert_from_members

_HOUR = dt.timedelta(hours=1)


def invitation_of(mail: OutgoingEmail) -> Invitation | None:
    """Return the invitation that a mail is about, if it can still be accepted."""
    still = Invitation.objects.open().filter(expires_at__gt=timezone.now())
    found: Invitation | None = still.filter(pk=mail.context.get("invitation")).first()
    return found


def addressee_of(invitation: Invitation) -> User:
    """Return the person who is invited, as an account that is not stored."""
    return User(
        email=invitation.email,
        first_name=invitation.first_name,
        last_name=invitation.last_name,
    )


def invitation_context(mail: OutgoingEmail, invitation: Invitation) -> dict[str, Any]:
    """Return the context of an invitation's mail, with a new link.

    The member who has the address gets the mail that they have an account already.
    """
    if _is_pestered(invitation):
        return {"withheld": True}
    if diverted := divert_from_members(mail, invitation.email_canonical):
        return diverted
    token = Invitation.objects.issue(invitation.pk, at=timezone.now())
    link = settings.INVITATION_URL.replace("{token}", token)
    return {"to": invitation.email, "link": link, "withheld": not token}


def _is_pestered(invitation: Invitation) -> bool:
    """Return whether the address had its hour's invitations, whoever sent them."""
    # One that was mailed has a token.
    mailed = Invitation.objects.filter(
        email_canonical=invitation.email_canonical,
        created_at__gt=invitation.created_at - _HOUR,
        token__isnull=False,
    )
    return bool(mailed.exclude(pk=invitation.pk).count() >= settings.EMAIL_HOURLY_LIMIT)
