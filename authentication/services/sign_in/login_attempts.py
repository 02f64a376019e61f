"""Login attempts: whether a password is compared, hashed only, or refused (docs/lockout.md).

An attempt is counted before its password is hashed, so that guesses sent at once are all counted.
"""

import contextlib
import dataclasses
import datetime as dt
import enum
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import Error
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import AccountLocked, RateLimited
from authentication.models import User, UserSession
from authentication.services.attempt_limit import NO_ACCOUNT, UNLIMITED, AttemptLimit

from .counters import (
    AccountCounter,
    AllSessionsCounter,
    Counter,
    DeviceCounter,
    NameCounter,
    SessionCounter,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_SESSION_LOCKED = _("Too many wrong attempts on this device. Sign in again, or try again later.")


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
        """Return whether this attempt, which failed, set a lock that is reported at once."""
        return self.counters[-1].has_set_lock()

    def is_of_account(self) -> bool:
        """Return whether the reported lock is one of the account; ask after `has_set_lock`."""
        last = self.counters[-1]
        return last.has_locked_account if isinstance(last, AccountCounter) else self.is_compared


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


def reserve_session_attempt(session: UserSession) -> LoginAttempt:
    """Count an attempt to prove, in a session, who one is; raises AccountLocked.

    The session is counted first, so that a stolen one locks only itself: neither the devices of its
    account nor other sessions. All sessions of an account share a second limit.
    """
    now = timezone.now()
    if session.user.is_locked_by_hand():
        raise _locked(session.user.locked_until, at=now)
    own = SessionCounter(session.pk, at=now)
    if not own.reserve():
        raise _locked(own.locked_until(), at=now, detail=_SESSION_LOCKED)
    together = AllSessionsCounter(session.user_id, at=now)
    if not together.reserve():
        own.release()
        raise _locked(together.locked_until(), at=now, detail=_SESSION_LOCKED)
    return LoginAttempt(is_compared=True, counters=(together, own))


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
        device = DeviceCounter(user_id, digest, at=at)
        if device.reserve():
            return device, True
        if device.is_known():
            return device, False
    return None, False


def _reserve_name(
    user: User | None, canonical: str, *, at: dt.datetime
) -> tuple[bool, bool, tuple[Counter, ...]]:
    name = NameCounter(canonical, unlocked_at=user.unlocked_at if user else None, at=at)
    if not name.reserve():
        return False, False, (name,)
    # For a name that no account has, the same statement is made.
    account = AccountCounter(user.pk if user else NO_ACCOUNT, name=name, at=at)
    try:
        # The lock as it was read says nothing: a right password may have lifted it since.
        has_room = account.reserve()
    except Exception:
        name.release()
        raise
    return True, has_room, (name, account) if has_room else (name,)


def _locked(
    until: dt.datetime | None, *, at: dt.datetime, detail: "StrOrPromise | None" = None
) -> AccountLocked:
    seconds = (until - at).total_seconds() if until else 0
    return AccountLocked(detail, retry_after=max(1, math.ceil(seconds)))
