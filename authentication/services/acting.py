"""Changing an account: the lock order, and the second check of the session that asks.

Every change locks the account's row first. Its one-time tokens, known devices and sessions come
after it, in this order. Two requests that lock in different orders wait for each other.
"""

import contextlib
import uuid
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import ReauthenticationRequired, SessionOver
from authentication.models import User, UserSession

_BOTH = _("First we need to know that it's you. Please enter your password and a code.")


@contextlib.contextmanager
def locked_account(user_id: uuid.UUID) -> Iterator[User]:
    """Open a transaction that holds an account's row, and give the row as it is now.

    Raises User.DoesNotExist.
    """
    with transaction.atomic():
        yield User.objects.lock_row(user_id)


@contextlib.contextmanager
def acting(
    session: UserSession, *, recent_proof: bool = False, recent_password: bool = False
) -> Iterator[User]:
    """Open a transaction that changes an account on behalf of a session, and give the account.

    The session was checked when the request began. A logout, a reset or the end of the device may
    have come since, so it is checked again under the lock of the account's row.

    Raises SessionOver if the session has ended or is older than the password, and
    ReauthenticationRequired if `recent_proof` is asked for and missing, or `recent_password`.
    """
    try:
        with locked_account(session.user_id) as user:
            current = _live(session, user)
            now = timezone.now()
            if recent_proof and not current.is_proven(at=now):
                raise ReauthenticationRequired
            if recent_password and not current.has_recent_password(at=now):
                raise ReauthenticationRequired(_BOTH)
            yield user
    except User.DoesNotExist:
        raise SessionOver from None


def _live(session: UserSession, user: User) -> UserSession:
    # Read by a second statement, with the lock held: the statement that waits for the lock may read
    # the session as it was before the wait.
    current: UserSession | None = UserSession.objects.filter(pk=session.pk).first()
    if current is None:
        raise SessionOver
    current.user = user
    if not current.is_live(at=timezone.now()) or current.predates_password():
        raise SessionOver
    return current
