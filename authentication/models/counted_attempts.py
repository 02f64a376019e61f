"""Attempts at a password, counted on an account or a known device; the SQL is compiled once."""

import datetime as dt
import uuid
from typing import Any

from django.db.models import Q

from .compiled import Changes, CompiledQuery, CompiledUpdate
from .known_device import KnownDevice
from .login_attempts import CLEARED, LockReason, LoginAttemptsQuerySet, lock_end
from .user import User


def find_account(canonical: str) -> User | None:
    """Return the account of a canonical address or username."""
    return (_BY_ADDRESS if "@" in canonical else _BY_USERNAME).get(canonical=canonical)


def reserve_on_account(pk: uuid.UUID, *, at: dt.datetime) -> bool:
    """Count an attempt on an account before its password is compared; False if it is locked."""
    return bool(_RESERVE_ON_ACCOUNT.execute(pk=pk, reason=LockReason.GUESSED.value, **_count(at)))


def reserve_on_device(user_id: uuid.UUID, digest: str, *, at: dt.datetime) -> bool:
    """Count an attempt on a known device; False if it is locked or not known to the account."""
    return bool(_RESERVE_ON_DEVICE.execute(user_id=user_id, digest=digest, **_count(at)))


def clear_on_account(pk: uuid.UUID) -> None:
    """Reset an account's failures, and lift a lock that wrong passwords set."""
    _CLEAR_ON_ACCOUNT.execute(pk=pk, reason=LockReason.GUESSED.value)


def clear_on_device(user_id: uuid.UUID, digest: str, *, at: dt.datetime) -> None:
    """Reset a device's failures and its lock, and note when it was used."""
    _CLEAR_ON_DEVICE.execute(user_id=user_id, digest=digest, at=at)


def _count(at: dt.datetime) -> dict[str, Any]:
    threshold = LoginAttemptsQuerySet.threshold()
    return {"at": at, "ends_at": lock_end(at), "last": threshold - 1}


def _reserve_on_account(pk: uuid.UUID, reason: str, **count: Any) -> Changes:
    rows, counted = User.objects.filter(pk=pk).reservation(**count)
    return rows, {**counted, "lock_reason": reason}


def _reserve_on_device(user_id: uuid.UUID, digest: str, **count: Any) -> Changes:
    changes: Changes = _device(user_id, digest).reservation(**count)
    return changes


def _clear_on_account(pk: uuid.UUID, reason: str) -> Changes:
    by_passwords = Q(locked_until=None) | Q(lock_reason=reason)
    return User.objects.filter(by_passwords, pk=pk), CLEARED


def _clear_on_device(user_id: uuid.UUID, digest: str, at: dt.datetime) -> Changes:
    return _device(user_id, digest), {**CLEARED, "last_used_at": at}


def _device(user_id: uuid.UUID, digest: str) -> Any:
    return KnownDevice.objects.filter(user_id=user_id, digest=digest)


# Sample values. All differ: each is found in the SQL by its value (compiled.py). The number fits
# its column: the ORM leaves out a comparison with a number that no row can have.
_BY_ADDRESS = CompiledQuery(User.objects.identified_by, canonical="@")
_BY_USERNAME = CompiledQuery(User.objects.identified_by, canonical="name")

_PK = uuid.UUID(int=1)
_AT, _ENDS_AT = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(1900, 1, 2, tzinfo=dt.UTC)
_COUNT: dict[str, Any] = {"at": _AT, "ends_at": _ENDS_AT, "last": 9999}
_DEVICE: dict[str, Any] = {"user_id": _PK, "digest": "digest"}

_RESERVE_ON_ACCOUNT = CompiledUpdate(_reserve_on_account, pk=_PK, reason="reason", **_COUNT)
_RESERVE_ON_DEVICE = CompiledUpdate(_reserve_on_device, **_DEVICE, **_COUNT)
_CLEAR_ON_ACCOUNT = CompiledUpdate(_clear_on_account, pk=_PK, reason="reason")
_CLEAR_ON_DEVICE = CompiledUpdate(_clear_on_device, **_DEVICE, at=_AT)
