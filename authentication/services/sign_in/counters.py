"""Counters of failed proofs: in the rows of accounts, devices and sessions, or in the cache."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.cache import caches

from authentication.models import (
    KnownDevice,
    User,
    UserSession,
    clear_on_account,
    clear_on_device,
    reserve_on_account,
    reserve_on_device,
)
from authentication.services.attempt_limit import NO_ACCOUNT
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym

_HOUR_SECONDS = 3600
# A name's failures are forgotten an hour after the first: made-up names would fill the cache.
_NAME_MEMORY_SECONDS = _HOUR_SECONDS
_DAY_SECONDS = 86_400
_FAILURES_OF_ALL_SESSIONS = 20


class RowCounter:
    """A count in a row, which locks at ACCOUNT_LOCKOUT_THRESHOLD for ACCOUNT_LOCKOUT_MINUTES."""

    def __init__(self, rows: Any, *, at: dt.datetime) -> None:
        self._rows, self._at = rows, at

    def reserve(self) -> bool:
        """Count an attempt; False if the counter is locked."""
        return bool(self._rows.reserve_attempt(at=self._at))

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

    def __init__(self, user_id: uuid.UUID, digest: str, *, at: dt.datetime) -> None:
        super().__init__(KnownDevice.objects.filter(user_id=user_id, digest=digest), at=at)
        self._user_id, self.digest = user_id, digest

    def is_known(self) -> bool:
        """Return whether the account knows the device."""
        return bool(self._rows.exists())

    def reserve(self) -> bool:
        return reserve_on_device(self._user_id, self.digest, at=self._at)

    def clear(self) -> None:
        clear_on_device(self._user_id, self.digest, at=self._at)


class AccountCounter(RowCounter):
    """The count of an account, by all its names and from all unknown devices."""

    def __init__(self, user_id: uuid.UUID, *, name: "NameCounter", at: dt.datetime) -> None:
        super().__init__(User.objects.filter(pk=user_id), at=at)
        self._user_id, self._name, self.has_locked_account = user_id, name, False

    def reserve(self) -> bool:
        return reserve_on_account(self._user_id, at=self._at)

    def has_set_lock(self) -> bool:
        """Return whether the attempt locked the name: only that may cost time.

        A lock of the account alone is reported later (lock_reports.py).
        """
        if self._name.is_last:
            self.has_locked_account = super().has_set_lock()
        return self._name.is_last

    def clear(self) -> None:
        clear_on_account(self._user_id)


class SessionCounter(RowCounter):
    """The count of a session: wrong passwords and codes that were given in it."""

    def __init__(self, session_id: uuid.UUID, *, at: dt.datetime) -> None:
        super().__init__(UserSession.objects.filter(pk=session_id), at=at)

    def clear(self) -> None:
        # One right proof of two needed ones must not reset the failures of the other. The complete
        # proof does (UserSession.objects.reauthenticate).
        self.release()


class AllSessionsCounter:
    """The failures of an account's sessions together, within an hour of the clock, in the cache.

    It bounds a thief who holds many sessions. Signing in again is not counted here.
    """

    def __init__(self, user_id: uuid.UUID, *, at: dt.datetime) -> None:
        hour, past = divmod(int(at.timestamp()), _HOUR_SECONDS)
        self._key = f"lockout:sessions:{pseudonym('lockout', str(user_id))}:{hour}"
        self._ends_at = at + dt.timedelta(seconds=_HOUR_SECONDS - past)
        self._cache: Any = caches["limits"]

    def reserve(self) -> bool:
        """Count an attempt; False if the sessions are over their limit."""
        if self._cache.count(self._key, _HOUR_SECONDS) <= _FAILURES_OF_ALL_SESSIONS:
            return True
        self.release()
        return False

    def locked_until(self) -> dt.datetime:
        """Return when the hour ends."""
        return self._ends_at

    def has_set_lock(self) -> bool:
        """Return False: the lock of a session is reported, not this limit."""
        return False

    def release(self) -> None:
        """Uncount the attempt."""
        with contextlib.suppress(ValueError):  # The count expired a moment ago.
            self._cache.decr(self._key)

    clear = release


class NameCounter:
    """The count of an address or username, in the cache, whether or not an account has it.

    The count and the lock are two keys; the count lives as long as the lock once that is set.
    """

    def __init__(self, canonical: str, *, unlocked_at: dt.datetime | None, at: dt.datetime) -> None:
        # The time of the last unlock by staff is part of the name: an unlock begins a new count.
        name = pseudonym("lockout", f"{canonical} {unlocked_at.isoformat() if unlocked_at else ''}")
        self._count, self._lock = f"lockout:count:{name}", f"lockout:until:{name}"
        self._cache: Any = caches["limits"]
        self._at = at
        # Whether this attempt was the last one allowed.
        self.is_last = False

    def reserve(self) -> bool:
        count = self._cache.count(self._count, _NAME_MEMORY_SECONDS)
        if count < settings.ACCOUNT_LOCKOUT_THRESHOLD:
            return True
        seconds = settings.ACCOUNT_LOCKOUT_MINUTES * 60
        until = self._at + dt.timedelta(seconds=seconds)
        # The lock decides who was last, not the count: a process may die between the two.
        self.is_last = self._cache.add(self._lock, until.isoformat(), seconds)
        if self.is_last:
            self._cache.touch(self._count, seconds)
        else:
            self._uncount()
        return self.is_last

    def locked_until(self) -> dt.datetime | None:
        until = self._cache.get(self._lock)
        return dt.datetime.fromisoformat(until) if until else None

    def has_set_lock(self) -> bool:
        if self.is_last:
            # The result is not needed. It makes a name without an account cost the same.
            User.objects.filter(pk=NO_ACCOUNT).locked_by_attempt(reserved_at=self._at)
        return self.is_last

    def release(self) -> None:
        self._uncount()
        if self.is_last:
            self._cache.touch(self._count, _NAME_MEMORY_SECONDS)
            self._cache.delete(self._lock)

    # A right password takes back its own attempt only. A reset of the count would show others who
    # try this name that its owner has signed in.
    clear = release

    def forget(self) -> None:
        """Forget the count and the lock."""
        self._cache.delete_many([self._count, self._lock])

    def _uncount(self) -> None:
        with contextlib.suppress(ValueError):  # The count expired a moment ago.
            # Attempts from before the count expired are given back after it.
            if (count := self._cache.decr(self._count)) < 0:
                self._cache.incr(self._count, -count)


Counter = RowCounter | NameCounter | AllSessionsCounter


def count_refusal(client: ClientInfo) -> int:
    """Return which attempt of a network this is, within a day, that a lock or a bar refused."""
    key = f"lockout:refusals:{pseudonym('lockout', client.network())}"
    cache: Any = caches["limits"]
    return int(cache.count(key, _DAY_SECONDS))


def forget_names(names: Iterable[str], *, unlocked_at: dt.datetime | None, at: dt.datetime) -> None:
    """Forget the failures of canonical names of an account that goes."""
    for name in names:
        for unlocked in {unlocked_at, None}:
            NameCounter(name, unlocked_at=unlocked, at=at).forget()
