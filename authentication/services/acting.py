"""Changing an account: the lock order, and the second check of the session that asks.

Every change locks the account's row first. Its one-time tokens, known devices and sessions come
after it, in this order. Two requests that lock in different orders wait for each other.
"""

import contextlib
import uuid
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import ReauthenticationRequired, SessionOver
from authentication.models import User, UserSession


@contextlib.contextmanager
def locked_account(user_id: uuid.UUID) -> Iterator[User]:
    """Open a transaction that holds an account's row, and give the row as it is now.

    Raises User.DoesNotExist.
    """
    with transaction.atomic():
        yield User.objects.lock_row(user_id)


@contextlib.contextmanager
def acting(session: UserSession, *, recent_proof: bool = False) -> Iterator[User]:
    """Open a transaction that changes an account on behalf of a session, and give the account.

    The session was checked when the request began. A logout, a reset or the end of the device may
    have come since, so it is checked again under the lock of the account's row.

    Raises SessionOver if the session has ended or is older than the password, and
    ReauthenticationRequired if `recent_proof` is asked for and missing.
    """
    try:
        with locked_account(session.user_id) as user:
            _check(session, user, recent_proof=recent_proof)
            yield user
    except User.DoesNotExist:
        raise SessionOver from None


def _check(session: UserSession, user: User, *, recent_proof: bool) -> None:
    # Read by a second statement, with the lock held: the statement that waits for the lock may read
    # the session as it was before the wait.
    current, now = UserSession.objects.filter(pk=session.pk).first(), timezone.now()
    if current is None:
        raise SessionOver
    current.user = user
    if not current.is_live(at=now) or current.predates_password():
        raise SessionOver
    if recent_proof and not current.is_proven(at=now):
        raise ReauthenticationRequired
