"""Building block: whom an email address belongs to, those included who may still take it back."""

import datetime as dt
import uuid

from authentication.exceptions import ValidationFailed
from authentication.models import EmailChange, User

_TAKEN = "An account with this email address exists already."


def address_taken() -> ValidationFailed:
    """Return the refusal of an address that somebody has, where that may be told."""
    return ValidationFailed(errors={"email": [_TAKEN]})


def owner_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the account that has an address, or has left it so lately that it may undo that."""
    holder = User.objects.identified_by(canonical).values_list("pk", flat=True).first()
    # In this order: whoever leaves the address between the two looks is found by the second. And
    # always both: how many there are must not tell.
    reserver = reserver_of_address(canonical, at=at)
    return holder or reserver


def reserver_of_address(canonical: str, *, at: dt.datetime) -> uuid.UUID | None:
    """Return the account that may still go back to an address it has left."""
    found: uuid.UUID | None = (
        EmailChange.objects.reserving(canonical, at=at).values_list("user_id", flat=True).first()
    )
    return found
