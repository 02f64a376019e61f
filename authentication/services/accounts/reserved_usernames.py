"""Usernames: whether one is free, and who may have it next.

A name is held from the moment it is asked for, by accounts and by registrations with a taken
address alike. The latter make no account. If their name stayed free, the next registration with it
would reveal that the address has an account.

A name that an account gives up, by changing it or by being deleted, is held for 90 days, so that
nobody can pass for its former owner. After a change only that account may come back to it. The time
is the same in both cases, so that it does not reveal a deletion.
"""

import datetime as dt
import uuid

from django.utils.translation import gettext_lazy as _

from authentication.exceptions import ValidationFailed
from authentication.models import User, UsernameHold
from authentication.utils.identifiers import canonical_username

_TAKEN = _("This username is taken.")


def username_taken() -> ValidationFailed:
    """Return the error for a username that is taken or held."""
    return ValidationFailed(errors={"username": [_TAKEN]})


def check_username_free(username: str, *, but: uuid.UUID | None = None) -> None:
    """Raise ValidationFailed if a username, or one that looks like it, is taken or held.

    The account `but` may have its own name and those held for it.
    """
    if UsernameHold.objects.is_taken(username, but=but):
        raise username_taken()


def claim_username(username: str, *, user_id: uuid.UUID | None, at: dt.datetime) -> None:
    """Hold a username that is being taken, in the caller's transaction.

    Raises IntegrityError if another request takes it.
    """
    UsernameHold.objects.claim(username, user_id=user_id, at=at)


def rename(user: User, username: str, *, at: dt.datetime) -> None:
    """Give a locked account another username, unsaved, and hold the former one for it.

    Raises ValidationFailed if the name is taken or held for others, IntegrityError if another
    request takes it.
    """
    if username == user.username:
        return
    check_username_free(username, but=user.pk)
    former, user.username = user.username, username
    if canonical_username(former) != canonical_username(username):
        claim_username(username, user_id=user.pk, at=at)
        UsernameHold.objects.leave(former, user_id=user.pk, at=at)
