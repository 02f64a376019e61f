"""Exchange tokens, in the cache under their digests for a minute."""

import contextlib
import datetime as dt
import uuid
from typing import NamedTuple, Self

from django.conf import settings
from django.core.cache import cache

from authentication.exceptions import ServiceUnavailable
from authentication.models import User
from authentication.utils.crypto import digest, new_token
from authentication.utils.faults import FAULTS

_REPLAY_SECONDS = 600


class Holder(NamedTuple):
    """The user of a token, and the time of their password: a new password voids the token."""

    user_id: uuid.UUID
    password_changed_at: dt.datetime

    @classmethod
    def kept(cls, user_id: str, password_changed_at: str) -> Self:
        return cls(uuid.UUID(user_id), dt.datetime.fromisoformat(password_changed_at))


def new_exchange_token(user: User) -> str:
    """Return a token that works once, for EXCHANGE_TOKEN_LIFETIME or until a new password.

    Raises ServiceUnavailable while the cache is down.
    """
    token = new_token()
    try:
        held = [str(user.pk), user.password_changed_at.isoformat()]
        cache.set(_key(token), held, settings.EXCHANGE_TOKEN_LIFETIME.total_seconds())
    except FAULTS:
        raise ServiceUnavailable from None
    return token


def holder_of_exchange_token(token: str) -> Holder | None:
    """Return the holder of a token without spending it.

    Raises ServiceUnavailable while the cache is down.
    """
    try:
        held = cache.get(_key(token))
    except FAULTS:
        raise ServiceUnavailable from None
    return Holder.kept(*held) if held else None


def spend_exchange_token(token: str) -> Holder | None:
    """Spend a token and return its holder, to one caller; None to all others.

    Raises ServiceUnavailable while the cache is down.
    """
    key = _key(token)
    try:
        held = cache.get(key)
        # The deletion decides: of several callers who read the value, one deletes it.
        return Holder.kept(*held) if held and cache.delete(key) else None
    except FAULTS:
        raise ServiceUnavailable from None


def remember_redeemed(token: str, session_id: uuid.UUID) -> None:
    """Store which session a spent token opened, to end it if the token is replayed."""
    with contextlib.suppress(*FAULTS):
        cache.set(f"redeemed:{digest(token)}", str(session_id), _REPLAY_SECONDS)


def session_redeemed(token: str) -> uuid.UUID | None:
    """Return the session that a token opened in the last ten minutes."""
    with contextlib.suppress(*FAULTS):
        if session_id := cache.get(f"redeemed:{digest(token)}"):
            return uuid.UUID(session_id)
    return None


def _key(token: str) -> str:
    return f"exchange:{digest(token)}"
