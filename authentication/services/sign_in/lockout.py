"""Building block: leave to try a password, for accounts that exist and for names that do not (contract 6).

A password is compared if the account's count has room; what strangers are told, and whether they
get that far, is decided by the count of the name they give. If they saw the account's, a lock set
under one name would show under the other, and a count that starts over would show that the owner
had signed in.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator

from django.db import Error
from django.utils import timezone

from authentication.exceptions import AccountLocked, ServiceUnavailable
from authentication.models import Attempt, User
from authentication.utils.client import ClientInfo

from .attempt_counters import AccountCounter, AttemptCounter, Lock, NameCounter
from .familiarity import is_familiar, remember_network

_POLL_SECONDS = 0.05
_POLLS = 40


@dataclasses.dataclass(frozen=True, slots=True)
class _Reservation:
    """An attempt that was counted."""

    counter: AttemptCounter
    attempt: Attempt

    def release(self) -> None:
        self.counter.release(self.attempt)

    def confirm(self) -> bool:
        """Note that it failed; return whether it locked."""
        return self.attempt is Attempt.LAST and self.counter.confirm()


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """Leave to try one password, counted already."""

    account: _Reservation | None = None
    name: _Reservation | None = None
    is_undecided: bool = False
    """Whether the account is refused for an attempt that may yet be right: `decided` says more, after the hash."""

    @property
    def is_compared(self) -> bool:
        """Whether the password is to be compared, or hashed only.

        It is not if nobody has the name, or if the account behind it is locked and who asks is not
        to know.
        """
        return self.account is not None

    @property
    def locks_name(self) -> bool:
        """Whether its name has no further turn if this one fails."""
        return self.name is not None and self.name.attempt is Attempt.LAST

    @contextlib.contextmanager
    def hashing(self) -> Iterator[None]:
        """Give the attempt back if there is no verdict: the service is too busy to hash, or its database fails."""
        try:
            yield
        except Exception:
            # The name last, as it was counted first: were it behind the account, an owner's own
            # attempts, made all at once from a new network, would find the account locked and their
            # name not, as a stranger's do.
            for reserved in (self.account, self.name):
                # What made the attempt fail is what counts.
                with contextlib.suppress(Error):
                    if reserved:
                        reserved.release()
            raise

    def succeed(self, user: User, client: ClientInfo) -> None:
        """Note that the password was right. What the account counted is forgotten by whoever admits its owner."""
        remember_network(user, client)
        if self.name:
            self.name.release()


class _RefusedError(Exception):
    def __init__(self, lock: Lock) -> None:
        super().__init__()
        self.lock = lock


def turn_of(user: User | None, canonical: str, client: ClientInfo) -> Turn:
    """Return leave to try a password for a name, which may be nobody's.

    Raises AccountLocked, with the seconds left, or ServiceUnavailable while the last attempt takes
    long.
    """
    return _waited_for(lambda: _take(user, canonical, client))


def owners_turn(user: User) -> Turn:
    """Return leave for a person who is signed in to try their own; raises as `turn_of` does."""
    return _waited_for(lambda: Turn(_reserve(AccountCounter(user))))


def decided(turn: Turn, user: User, canonical: str, client: ClientInfo) -> Turn:
    """Return what has become of an undecided turn: one to compare if the account has room again, else itself.

    Asked once, after the hash: who waited longer than for a name that nobody has would learn that
    somebody has it. Only where the owner has come in meanwhile it is waited for, and raises as
    `turn_of` does.
    """
    counter = AccountCounter(user)

    def take() -> Turn:
        return Turn(_reserve(counter), turn.name)

    if is_familiar(user, canonical, client):
        return _waited_for(take)
    # Looked at before it is asked for, which would wait for whoever has the row.
    if counter.lock().stands:
        return turn
    try:
        return take()
    except _RefusedError:
        return turn


def _take(user: User | None, canonical: str, client: ClientInfo) -> Turn:
    # Looked up for everybody, so that it takes everybody as long.
    familiar = is_familiar(user, canonical, client)
    if user and familiar:
        return Turn(_reserve(AccountCounter(user)))
    name = _reserve(NameCounter(canonical, unlocked_at=user.unlocked_at if user else None))
    if user is None:
        return Turn(name=name)
    try:
        # An account that is known to be locked is not asked again: a name that nobody has is not
        # either.
        lock = AccountCounter.lock_of(user)
        if lock.stands:
            raise _RefusedError(lock)
        return Turn(_reserve(AccountCounter(user)), name)
    except Exception as refusal:
        found = refusal.lock if isinstance(refusal, _RefusedError) else None
        # Strangers are not to see that guesses locked the account. But it may have been unlocked
        # this moment, and whose name has room again because their owner has come in from here is
        # none.
        if (
            found
            and found.stands
            and not found.is_manual
            and not is_familiar(user, canonical, client)
        ):
            return Turn(name=name, is_undecided=found.is_pending)
        name.release()
        raise


def _reserve(counter: AttemptCounter) -> _Reservation:
    attempt = counter.reserve()
    if attempt is Attempt.REFUSED:
        raise _RefusedError(counter.lock())
    return _Reservation(counter, attempt)


def _waited_for(take: Callable[[], Turn]) -> Turn:
    """Take a turn; the outcome of the last attempt allowed is waited for: it may be the owner's."""
    for _ in range(_POLLS):
        try:
            return take()
        except _RefusedError as refused:
            until = refused.lock.until
            if until and not refused.lock.is_pending:
                left = math.ceil((until - timezone.now()).total_seconds())
                raise AccountLocked(retry_after=max(left, 1)) from None
        time.sleep(_POLL_SECONDS)
    raise ServiceUnavailable(retry_after=2)
