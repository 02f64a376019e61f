"""Login attempts: whether a password is compared, hashed only, or refused (docs/lockout.md).

An attempt is counted before its password is hashed, so that guesses sent at once are all counted.
"""

import contextlib
import dataclasses
import datetime as dt
import enum
import math
import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import Error
from django.utils import timezone

from authentication.exceptions import AccountLocked, RateLimited
from authentication.models import KnownDevice, LockReason, User
from authentication.services.attempt_limit import NO_ACCOUNT, UNLIMITED, AttemptLimit
from authentication.utils.crypto import pseudonym

# A name's failures are forgotten after a month: unlike an account's, no sign-in resets them.
_NAME_MEMORY_SECONDS = 30 * 86_400


class Decision(enum.Enum):
    """What is done with a password."""

    COMPARE = "compare"
    HASH_ONLY = "hash only"
    LOCKED = "locked"


def decide(
    *, is_known_device: bool, device_has_room: bool, name_has_room: bool, account_has_room: bool
) -> Decision:
    """Return what is done with a password.

    A known device is judged by its own count. An unknown device is judged by the count of the name
    it tried, not by the account's: a name without an account must look the same.
    """
    if is_known_device:
        return Decision.COMPARE if device_has_room else Decision.LOCKED
    if not name_has_room:
        return Decision.LOCKED
    return Decision.COMPARE if account_has_room else Decision.HASH_ONLY


class RowCounter:
    """A count in a row, which locks at ACCOUNT_LOCKOUT_THRESHOLD for ACCOUNT_LOCKOUT_MINUTES."""

    def __init__(self, rows: Any, *, at: dt.datetime, **locked: Any) -> None:
        self._rows, self._at, self._locked = rows, at, locked

    def reserve(self) -> bool:
        """Count an attempt; False if the counter is locked."""
        return bool(self._rows.reserve_attempt(at=self._at, **self._locked))

    def locked_until(self) -> dt.datetime | None:
        """Return when the lock ends; None if there is none."""
        until: dt.datetime | None = self._rows.values_list("locked_until", flat=True).first()
        return until

    def has_set_lock(self) -> bool:
        """Return whether the attempt that was counted here set the lock."""
        return bool(self._rows.locked_by_attempt(reserved_at=self._at))

    def release(self) -> None:
        """Uncount the attempt: it had no verdict."""
        self._rows.release_attempt(reserved_at=self._at)

    def clear(self) -> None:
        """Settle the attempt: the password was right."""
        self._rows.clear_attempts()


class DeviceCounter(RowCounter):
    """The count of a known device, named by its hash."""

    def __init__(self, rows: Any, digest: str, *, at: dt.datetime) -> None:
        super().__init__(rows, at=at)
        self.digest = digest

    def clear(self) -> None:
        self._rows.clear_attempts(last_used_at=self._at)


class AccountCounter(RowCounter):
    """The count of an account, by all its names and from all unknown devices."""

    def __init__(self, user_id: uuid.UUID, *, at: dt.datetime) -> None:
        super().__init__(User.objects.filter(pk=user_id), at=at, lock_reason=LockReason.GUESSED)

    def clear(self) -> None:
        self._rows.not_locked_by_hand().clear_attempts()


class NameCounter:
    """The count of an address or username, in the cache, whether or not an account has it.

    The count and the lock are two keys; the count lives as long as the lock once that is set.
    """

    def __init__(self, canonical: str, *, unlocked_at: dt.datetime | None, at: dt.datetime) -> None:
        # The time of the last unlock by staff is part of the name: an unlock begins a new count.
        name = pseudonym("lockout", f"{canonical} {unlocked_at.isoformat() if unlocked_at else ''}")
        self._count, self._lock = f"lockout:count:{name}", f"lockout:until:{name}"
        self._cache, self._at, self._is_last = caches["limits"], at, False

    def reserve(self) -> bool:
        is_first = self._cache.add(self._count, 1, _NAME_MEMORY_SECONDS)
        count = 1 if is_first else self._add(1)
        if count < settings.ACCOUNT_LOCKOUT_THRESHOLD:
            return True
        seconds = settings.ACCOUNT_LOCKOUT_MINUTES * 60
        until = self._at + dt.timedelta(seconds=seconds)
        # The lock decides who was last, not the count: a process may die between the two.
        self._is_last = self._cache.add(self._lock, until.isoformat(), seconds)
        if self._is_last:
            self._cache.touch(self._count, seconds)
        else:
            self._add(-1)
        return self._is_last

    def locked_until(self) -> dt.datetime | None:
        until = self._cache.get(self._lock)
        return dt.datetime.fromisoformat(until) if until else None

    def has_set_lock(self) -> bool:
        # This statement finds no row. It makes a name without an account cost the same.
        User.objects.filter(pk=NO_ACCOUNT).locked_by_attempt(reserved_at=self._at)
        return self._is_last

    def release(self) -> None:
        self._add(-1)
        if self._is_last:
            self._cache.touch(self._count, _NAME_MEMORY_SECONDS)
            self._cache.delete(self._lock)

    # A right password takes back its own attempt only. A reset of the count would show others who
    # try this name that its owner has signed in.
    clear = release

    def _add(self, step: int) -> int:
        try:
            return int(self._cache.incr(self._count, step))
        except ValueError:
            # The count expired a moment ago.
            self._cache.add(self._count, max(step, 0), _NAME_MEMORY_SECONDS)
            return max(step, 0)


Counter = RowCounter | NameCounter


@dataclasses.dataclass(frozen=True, slots=True)
class LoginAttempt:
    """A counted attempt: compared or hashed only, where it was counted, the known device's hash."""

    is_compared: bool
    # The last one says whether the attempt set a lock.
    counters: tuple[Counter, ...]
    device: str = ""

    def release(self) -> None:
        """Uncount the attempt: no password was compared, because a store or the hasher failed."""
        for counter in reversed(self.counters):
            # The fault that brought us here is the one to report.
            with contextlib.suppress(Error):
                counter.release()

    def succeed(self) -> None:
        """Settle the attempt: the password was right."""
        for counter in reversed(self.counters):
            counter.clear()

    def has_set_lock(self) -> bool:
        """Return whether this attempt, which failed, set a lock."""
        return self.counters[-1].has_set_lock()


def reserve_attempt(
    user: User | None,
    canonical: str,
    *,
    devices: Sequence[str],
    limit: AttemptLimit = UNLIMITED,
) -> LoginAttempt:
    """Count an attempt at a name's password; the name may have no account.

    `devices` are the hashes of the client's device secrets. Raises AccountLocked (Retry-After), and
    RateLimited: a known device has a limit of its own, all others share their address's.
    """
    now = timezone.now()
    if user and user.is_locked_by_hand():
        raise _locked(user.locked_until, at=now)
    counters: tuple[Counter, ...]
    device, device_has_room = _reserve_device(user, devices, at=now)
    _apply(limit, device, is_counted=device_has_room)
    if device:
        name_has_room, account_has_room, counters = False, False, (device,)
    else:
        name_has_room, account_has_room, counters = _reserve_name(user, canonical, at=now)
    decision = decide(
        is_known_device=device is not None,
        device_has_room=device_has_room,
        name_has_room=name_has_room,
        account_has_room=account_has_room,
    )
    if decision is Decision.LOCKED:
        raise _locked(counters[-1].locked_until(), at=now)
    return LoginAttempt(
        is_compared=decision is Decision.COMPARE,
        counters=counters,
        device=device.digest if device else "",
    )


def _apply(limit: AttemptLimit, device: DeviceCounter | None, *, is_counted: bool) -> None:
    if device is None:
        limit.count_for_address()
        return
    try:
        limit.count_for_device(device.digest)
    except RateLimited:
        if is_counted:
            device.release()
        raise


def _reserve_device(
    user: User | None, devices: Sequence[str], *, at: dt.datetime
) -> tuple[DeviceCounter | None, bool]:
    # For a name that no account has, the same statements are made.
    user_id = user.pk if user else NO_ACCOUNT
    for digest in devices:
        rows = KnownDevice.objects.filter(user_id=user_id, digest=digest)
        device = DeviceCounter(rows, digest, at=at)
        if device.reserve():
            return device, True
        if rows.exists():
            return device, False
    return None, False


def _reserve_name(
    user: User | None, canonical: str, *, at: dt.datetime
) -> tuple[bool, bool, tuple[Counter, ...]]:
    name = NameCounter(canonical, unlocked_at=user.unlocked_at if user else None, at=at)
    if not name.reserve():
        return False, False, (name,)
    # For a name that no account has, the same statement is made.
    account = AccountCounter(user.pk if user else NO_ACCOUNT, at=at)
    try:
        # The lock as it was read says nothing: a right password may have lifted it since.
        has_room = account.reserve()
    except Exception:
        name.release()
        raise
    return True, has_room, (name, account) if has_room else (name,)


def _locked(until: dt.datetime | None, *, at: dt.datetime) -> AccountLocked:
    seconds = (until - at).total_seconds() if until else 0
    return AccountLocked(retry_after=max(1, math.ceil(seconds)))
