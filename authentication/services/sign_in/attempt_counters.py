"""Building block: where attempts to prove a password are counted, for accounts and for names (contract 6).

An account's count, in its row, is of the attempts by all its names and from everywhere. A name's is
in the cache, under a keyed hash, and the same whether or not anybody has the name.
"""

import dataclasses
import datetime as dt
import math
from typing import Protocol

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from authentication.models import Attempt, LockReason, User
from authentication.utils.crypto import pseudonym

_PATIENCE = dt.timedelta(seconds=15)
# Failures against an account are remembered until it is signed in to; here they cost memory, and
# fade.
_MEMORY_SECONDS = 30 * 86_400
# What a lock adds to a name's count, so that no attempt that is taken back later lets another one
# in.
_FULL = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Lock:
    """What refuses an attempt."""

    until: dt.datetime | None
    """When it ends; None if it has ended since."""
    is_pending: bool = False
    """Whether the attempt that set it may yet be right."""
    is_manual: bool = False

    @property
    def stands(self) -> bool:
        """Whether it still refuses."""
        return self.until is not None and self.until > timezone.now()


class AttemptCounter(Protocol):
    """A count of attempts."""

    def reserve(self) -> Attempt:
        """Count an attempt before it is made."""

    def lock(self) -> Lock:
        """Return what refused an attempt just now."""

    def confirm(self) -> bool:
        """Note that the attempt that locked failed; return whether its lock stands."""

    def release(self, attempt: Attempt) -> None:
        """Uncount an attempt that was no failure."""


class AccountCounter:
    """The attempts on an account."""

    def __init__(self, user: User) -> None:
        self._pk = user.pk
        # By when it was reserved an attempt knows its own lock from a later one.
        self._reserved_at = timezone.now()

    def reserve(self) -> Attempt:
        now = timezone.now()
        attempt: Attempt = User.objects.reserve_attempt(self._pk, at=now)
        if attempt is not Attempt.REFUSED:
            self._reserved_at = now
        return attempt

    def lock(self) -> Lock:
        user = User.objects.filter(pk=self._pk).only("locked_until", "lock_reason").first()
        return self.lock_of(user) if user else Lock(None)

    @staticmethod
    def lock_of(user: User) -> Lock:
        """Return the lock of an account as it was read."""
        until, reason = user.locked_until, user.lock_reason
        return Lock(
            until,
            is_pending=reason == LockReason.GUESSING and _is_fresh(until),
            is_manual=not reason,
        )

    def confirm(self) -> bool:
        stands: bool = User.objects.confirm_lock(self._pk, at=self._reserved_at)
        return stands

    def release(self, attempt: Attempt) -> None:
        User.objects.release_attempt(self._pk, attempt, at=self._reserved_at)


class NameCounter:
    """The attempts on an address or username.

    `unlocked_at` is when staff last lifted a lock of whoever has the name, which begins a new
    count.
    """

    def __init__(self, canonical: str, *, unlocked_at: dt.datetime | None = None) -> None:
        name = pseudonym(
            "lockout", f"{canonical} {unlocked_at.isoformat()}" if unlocked_at else canonical
        )
        self._count, self._lock = f"lockout:count:{name}", f"lockout:until:{name}"

    def reserve(self) -> Attempt:
        cache, threshold = caches["limits"], settings.ACCOUNT_LOCKOUT_THRESHOLD
        count = 1 if cache.add(self._count, 1, _MEMORY_SECONDS) else self._step(1)
        if count < threshold:
            return Attempt.COUNTED
        seconds = settings.ACCOUNT_LOCKOUT_MINUTES * 60
        until = timezone.now() + dt.timedelta(seconds=seconds)
        # The lock and not the count says whose attempt is the last one: who has counted may never
        # get here.
        if not cache.add(self._lock, [until.isoformat(), False], seconds):
            self._step(-1)
            return Attempt.REFUSED
        # The count ends with the lock and begins anew, as an account's does.
        cache.touch(self._count, seconds)
        self._step(_FULL)
        return Attempt.LAST

    def lock(self) -> Lock:
        text, is_confirmed = caches["limits"].get(self._lock) or (None, False)
        until = dt.datetime.fromisoformat(text) if text else None
        return Lock(until, is_pending=not is_confirmed and _is_fresh(until))

    def confirm(self) -> bool:
        until = self.lock().until
        if until:
            left = math.ceil((until - timezone.now()).total_seconds())
            caches["limits"].set(self._lock, [until.isoformat(), True], left)
        return until is not None

    def release(self, attempt: Attempt) -> None:
        cache = caches["limits"]
        if attempt is not Attempt.LAST:
            self._step(-1)
            return
        if self._step(-1 - _FULL) < 0:
            # Counted elsewhere, while the cache was away.
            cache.delete(self._count)
        cache.touch(self._count, _MEMORY_SECONDS)
        # The lock goes last: until then nobody gets the room that the count has again.
        cache.delete(self._lock)

    def _step(self, by: int) -> int:
        try:
            return int(caches["limits"].incr(self._count, by))
        except ValueError:
            # It ran out a moment ago: there is nothing to take from, and a first attempt to count.
            caches["limits"].add(self._count, max(by, 0), _MEMORY_SECONDS)
            return max(by, 0)


def _is_fresh(until: dt.datetime | None) -> bool:
    """Return whether a lock was set so lately that whoever set it may be at it still, and is not gone."""
    lasts = dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
    return until is not None and timezone.now() - (until - lasts) <= _PATIENCE
