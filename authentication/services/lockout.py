"""Building block: how many passwords may be tried, for accounts that exist and for names that do not (contract 6)."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Protocol

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from authentication.exceptions import AccountLocked, ServiceUnavailable
from authentication.models import Attempt, User
from authentication.utils.crypto import pseudonym

_POLL_SECONDS = 0.05
_POLLS = 40
_PATIENCE = dt.timedelta(seconds=15)
# Failures against an account are remembered until it is signed in to; here they cost memory, and fade.
_MEMORY_SECONDS = 30 * 86_400


class Ledger(Protocol):
    """Where the attempts on one name are counted."""

    def reserve(self) -> Attempt:
        """Count an attempt before it is made."""

    def lock(self) -> tuple[dt.datetime | None, bool]:
        """Return until when the name is locked, and whether the attempt that locked it is known to have failed."""

    def confirm(self) -> None:
        """Note that the attempt that locked the name failed."""

    def take_back(self, attempt: Attempt) -> None:
        """Uncount an attempt that was never made."""


class AccountLedger:
    """The attempts on an account, in its row."""

    def __init__(self, user: User) -> None:
        self._pk = user.pk

    def reserve(self) -> Attempt:
        attempt: Attempt = User.objects.reserve_attempt(self._pk, at=timezone.now())
        return attempt

    def lock(self) -> tuple[dt.datetime | None, bool]:
        row = User.objects.filter(pk=self._pk).values_list("locked_until", "failed_login_attempts").get()
        return row[0], row[1] > settings.ACCOUNT_LOCKOUT_THRESHOLD

    def confirm(self) -> None:
        User.objects.confirm_lock(self._pk)

    def take_back(self, attempt: Attempt) -> None:
        User.objects.return_attempt(self._pk, attempt)


class UnknownLedger:
    """The attempts on a name nobody has, in the cache, under a keyed hash of it."""

    def __init__(self, canonical: str) -> None:
        name = pseudonym("lockout", canonical)
        self._count, self._lock = f"lockout:count:{name}", f"lockout:until:{name}"

    def reserve(self) -> Attempt:
        cache, threshold = caches["limits"], settings.ACCOUNT_LOCKOUT_THRESHOLD
        count = 1 if cache.add(self._count, 1, _MEMORY_SECONDS) else cache.incr(self._count)
        if count < threshold:
            return Attempt.COUNTED
        if count > threshold:
            return Attempt.REFUSED
        until = timezone.now() + dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
        self._keep(until, confirmed=False)
        # The count ends with the lock and begins anew, as an account's does.
        cache.touch(self._count, settings.ACCOUNT_LOCKOUT_MINUTES * 60)
        return Attempt.LAST

    def lock(self) -> tuple[dt.datetime | None, bool]:
        until, confirmed = caches["limits"].get(self._lock) or (None, False)
        return (dt.datetime.fromisoformat(until) if until else None), confirmed

    def confirm(self) -> None:
        until, _ = self.lock()
        if until:
            self._keep(until, confirmed=True)

    def take_back(self, attempt: Attempt) -> None:
        cache = caches["limits"]
        if attempt is Attempt.LAST:
            cache.delete(self._lock)
            cache.touch(self._count, _MEMORY_SECONDS)
        cache.decr(self._count)

    def _keep(self, until: dt.datetime, *, confirmed: bool) -> None:
        left = max(1, int((until - timezone.now()).total_seconds()))
        caches["limits"].set(self._lock, [until.isoformat(), confirmed], left)


@contextlib.contextmanager
def hashing(ledger: Ledger, attempt: Attempt) -> Iterator[None]:
    """Take an attempt back if the service is too busy to hash its password."""
    try:
        yield
    except ServiceUnavailable:
        ledger.take_back(attempt)
        raise


def take_turn(ledger: Ledger) -> Attempt:
    """Return leave to try one password, counted already.

    While the last attempt allowed is still being computed, its outcome is waited for: it may be the owner's.

    Raises AccountLocked, with the seconds left, when there is none; ServiceUnavailable while that attempt takes long.
    """
    until, lasts = None, dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
    for _ in range(_POLLS):
        attempt = ledger.reserve()
        if attempt is not Attempt.REFUSED:
            return attempt
        until, confirmed = ledger.lock()
        # Whoever made the last attempt has long answered, or is gone.
        if confirmed or (until and timezone.now() - (until - lasts) > _PATIENCE):
            raise AccountLocked(retry_after=int((until - timezone.now()).total_seconds()) + 1 if until else None)
        time.sleep(_POLL_SECONDS)
    raise ServiceUnavailable(retry_after=2)
