"""Building block: how many passwords may be tried, for accounts that exist and for names that do not (contract 6).

Two counts are kept. An account's, in its row, of the attempts by all its names and from everywhere, decides whether a
password is compared at all. A name's, in the cache, whether or not anybody has it, decides what strangers are told:
were it the account's, a lock by one name would show by the other, and a sign-in of the owner's by a count begun anew.
"""

import contextlib
import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from authentication.exceptions import AccountLocked, ServiceUnavailable
from authentication.models import Attempt, User
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import pseudonym

from .familiarity import is_familiar, remember_network

_POLL_SECONDS = 0.05
_POLLS = 40
_PATIENCE = dt.timedelta(seconds=15)
# Failures against an account are remembered until it is signed in to; here they cost memory, and fade.
_MEMORY_SECONDS = 30 * 86_400


@dataclasses.dataclass(frozen=True, slots=True)
class Lock:
    """What refuses an attempt: until when, and whether the attempt that set it may yet succeed."""

    until: dt.datetime | None
    is_open: bool = False
    by_hand: bool = False


class Ledger(Protocol):
    """Where attempts are counted."""

    def reserve(self) -> Attempt:
        """Count an attempt before it is made."""

    def lock(self) -> Lock:
        """Return what refused an attempt just now."""

    def confirm(self) -> None:
        """Note that the attempt that locked failed."""

    def take_back(self, attempt: Attempt) -> None:
        """Uncount an attempt that was no failure."""


class AccountLedger:
    """The attempts on an account, in its row."""

    def __init__(self, user: User) -> None:
        self._pk = user.pk

    def reserve(self) -> Attempt:
        attempt: Attempt = User.objects.reserve_attempt(self._pk, at=timezone.now())
        return attempt

    def lock(self) -> Lock:
        until, count = User.objects.filter(pk=self._pk).values_list("locked_until", "failed_login_attempts").get()
        threshold = settings.ACCOUNT_LOCKOUT_THRESHOLD
        return Lock(until, is_open=_may_be_open(until, is_confirmed=count <= threshold), by_hand=count < threshold)

    def confirm(self) -> None:
        User.objects.confirm_lock(self._pk)

    def take_back(self, attempt: Attempt) -> None:
        User.objects.return_attempt(self._pk, attempt)


class NameLedger:
    """The attempts on an address or username, in the cache, under a keyed hash of it.

    `since` is when staff last lifted a lock of whoever has the name, which begins a new count.
    """

    def __init__(self, canonical: str, *, since: dt.datetime | None = None) -> None:
        name = pseudonym("lockout", f"{canonical} {since.isoformat()}" if since else canonical)
        self._count, self._lock = f"lockout:count:{name}", f"lockout:until:{name}"

    def reserve(self) -> Attempt:
        cache, threshold = caches["limits"], settings.ACCOUNT_LOCKOUT_THRESHOLD
        count = 1 if cache.add(self._count, 1, _MEMORY_SECONDS) else self._step(1)
        if count < threshold:
            return Attempt.COUNTED
        if count > threshold:
            self._step(-1)
            return Attempt.REFUSED
        until = timezone.now() + dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
        self._keep(until, confirmed=False)
        # The count ends with the lock and begins anew, as an account's does.
        cache.touch(self._count, settings.ACCOUNT_LOCKOUT_MINUTES * 60)
        return Attempt.LAST

    def lock(self) -> Lock:
        text, confirmed = caches["limits"].get(self._lock) or (None, False)
        until = dt.datetime.fromisoformat(text) if text else None
        return Lock(until, is_open=_may_be_open(until, is_confirmed=confirmed))

    def confirm(self) -> None:
        if until := self.lock().until:
            self._keep(until, confirmed=True)

    def take_back(self, attempt: Attempt) -> None:
        cache = caches["limits"]
        if attempt is Attempt.LAST:
            cache.delete(self._lock)
            cache.touch(self._count, _MEMORY_SECONDS)
        self._step(-1)

    def _step(self, by: int) -> int:
        try:
            return int(caches["limits"].incr(self._count, by))
        except ValueError:
            # It ran out a moment ago: there is nothing to take from, and a first attempt to count.
            caches["limits"].add(self._count, max(by, 0), _MEMORY_SECONDS)
            return max(by, 0)

    def _keep(self, until: dt.datetime, *, confirmed: bool) -> None:
        left = max(1, int((until - timezone.now()).total_seconds()))
        caches["limits"].set(self._lock, [until.isoformat(), confirmed], left)


@dataclasses.dataclass(frozen=True, slots=True)
class _Reservation:
    """An attempt that a ledger has counted."""

    ledger: Ledger
    attempt: Attempt

    def take_back(self) -> None:
        self.ledger.take_back(self.attempt)

    def confirm(self) -> bool:
        """Note that it failed; return whether it locked."""
        if self.attempt is Attempt.LAST:
            self.ledger.confirm()
        return self.attempt is Attempt.LAST


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """Leave to try one password, counted already."""

    account: _Reservation | None = None
    name: _Reservation | None = None

    @property
    def compares(self) -> bool:
        """Whether the password is to be compared, or hashed only.

        It is not if nobody has the name, or if the account behind it is locked and who asks is not to know.
        """
        return self.account is not None

    @contextlib.contextmanager
    def hashing(self) -> Iterator[None]:
        """Take the attempt back if the service is too busy to hash its password."""
        try:
            yield
        except ServiceUnavailable:
            for reserved in self._both():
                reserved.take_back()
            raise

    def succeed(self, user: User, client: ClientInfo) -> None:
        """Note that the password was right. What the account counted is forgotten by whoever admits its owner."""
        if self.name:
            remember_network(user, client)
            self.name.take_back()

    def fail(self) -> bool:
        """Note that it was wrong; return whether that locked."""
        locked = [reserved.confirm() for reserved in self._both()]
        return any(locked)

    def _both(self) -> list[_Reservation]:
        # The name last, as it was counted first: were it ever behind the account, an owner's own attempts, made all at
        # once, would find the account locked and their name not, as a stranger's do.
        return [reserved for reserved in (self.account, self.name) if reserved]


class _RefusedError(Exception):
    def __init__(self, lock: Lock) -> None:
        super().__init__()
        self.lock = lock


def turn_of(user: User | None, canonical: str, client: ClientInfo) -> Turn:
    """Return leave to try a password for a name, which may be nobody's.

    Raises AccountLocked, with the seconds left, or ServiceUnavailable while the last attempt takes long.
    """
    return _waited_for(lambda: _take(user, canonical, client))


def owners_turn(user: User) -> Turn:
    """Return leave for a person who is signed in to try their own; raises as `turn_of` does."""
    return _waited_for(lambda: Turn(_reserved(AccountLedger(user))))


def _take(user: User | None, canonical: str, client: ClientInfo) -> Turn:
    if is_familiar(user, canonical, client) and user:
        return Turn(_reserved(AccountLedger(user)))
    name = _reserved(NameLedger(canonical, since=user.unlocked_at if user else None))
    if user is None:
        return Turn(name=name)
    try:
        return Turn(_reserved(AccountLedger(user)), name)
    except _RefusedError as refused:
        # Their owner may have come in from here just now, with another request.
        if refused.lock.by_hand or is_familiar(user, canonical, client):
            name.take_back()
            raise
        return Turn(name=name)


def _reserved(ledger: Ledger) -> _Reservation:
    attempt = ledger.reserve()
    if attempt is Attempt.REFUSED:
        raise _RefusedError(ledger.lock())
    return _Reservation(ledger, attempt)


def _may_be_open(until: dt.datetime | None, *, is_confirmed: bool) -> bool:
    """Return whether the attempt that locked may yet succeed."""
    if until is None:
        # It was lifted since.
        return True
    # Whoever made it has long answered, or is gone.
    set_at = until - dt.timedelta(minutes=settings.ACCOUNT_LOCKOUT_MINUTES)
    return not is_confirmed and timezone.now() - set_at <= _PATIENCE


def _waited_for(take: Callable[[], Turn]) -> Turn:
    """Take a turn; the outcome of the last attempt allowed is waited for: it may be the owner's."""
    for _ in range(_POLLS):
        try:
            return take()
        except _RefusedError as refused:
            until = refused.lock.until
            if until and not refused.lock.is_open:
                left = int((until - timezone.now()).total_seconds()) + 1
                raise AccountLocked(retry_after=left) from None
        time.sleep(_POLL_SECONDS)
    raise ServiceUnavailable(retry_after=2)
