"""Addresses of accounts and their owners, also those who can still undo a change of address."""

import datetime as dt
import uuid

from authentication.exceptions import ValidationFailed
from authentication.models import EmailChange, User

_TAKEN = "There is already an account with this email address."


def address_taken() -> ValidationFailed:
    """Return the error for a taken address. It reveals that the address has an account."""
    return ValidationFailed(errors={"email": [_TAKEN]})


def move(user: User, email: str, *, at: dt.datetime) -> None:
    """Store another address of an account, which its reader has proven by a mailed token."""
    user.email, user.email_verified, user.email_verified_at = email, True, at
    user.email_bounced_at = user.email_complained_at = None
    changed = ["email", "email_canonical", "email_verified", "email_verified_at"]
    user.save(update_fields=[*changed, "email_bounced_at", "email_complained_at"])


def owner_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the id of the account that has an address or can still undo leaving it."""
    holder = User.objects.identified_by(canonical).values_list("pk", flat=True).first()
    # The order matters: an account that leaves the address between the two queries is found by the
    # second. Both always run, so that the number of queries reveals nothing.
    reserver = reserver_of_address(canonical, at=at)
    return holder or reserver


def reserver_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the id of the account that can still undo leaving an address."""
    found: uuid.UUID | None = (
        EmailChange.objects.reserving(canonical, at=at).values_list("user_id", flat=True).first()
    )
    return found
