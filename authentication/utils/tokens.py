"""The two kinds of JWT, on simplejwt's classes, with keys that can be rotated."""

import contextlib
import dataclasses
import datetime as dt
import functools
import re
import uuid
from typing import Any, Self

import jwt
from django.conf import settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import (
    ExpiredTokenError,
    TokenBackendError,
    TokenBackendExpiredToken,
    TokenError,
)

# The longest we issue is a third of this.
_LONGEST_TOKEN = 2048
_PARTS = 3
_SPELLING = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# A group of two or three characters holds one or two bytes; the bits left over must be zero.
_LAST_BITS = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
_JTI = re.compile(r"[\x21-\x7e]{1,64}")
# What a signed token with absurd claims makes the libraries raise.
_UNREADABLE = (ValueError, TypeError, OverflowError, OSError)


class KeyRing(TokenBackend):
    """Signs with the newest key, verifies with the older ones too."""

    def __init__(self, key: str, fallbacks: tuple[str, ...]) -> None:
        leeway = settings.SIMPLE_JWT["LEEWAY"]
        super().__init__("HS256", key, issuer=settings.SIMPLE_JWT["ISSUER"], leeway=leeway)
        self._older = [
            TokenBackend("HS256", old, issuer=self.issuer, leeway=leeway) for old in fallbacks
        ]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 -- simplejwt's signature
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:
            raise
        except TokenBackendError:
            for older in self._older:
                try:
                    return older.decode(token, verify)
                except TokenBackendExpiredToken:
                    raise
                except TokenBackendError:
                    continue
            raise

    def decode_late(self, token: str) -> dict[str, Any]:
        """Return the payload of a genuine token whatever its end; raises TokenBackendError for any other."""
        for keys in (self, *self._older):
            with contextlib.suppress(jwt.InvalidTokenError):
                return jwt.decode(
                    token,
                    keys.prepared_signing_key,
                    algorithms=["HS256"],
                    issuer=self.issuer,
                    leeway=self.get_leeway(),
                    options={"verify_exp": False},
                )
        raise TokenBackendError


@functools.lru_cache(maxsize=4)
def _key_ring(key: str, fallbacks: tuple[str, ...]) -> KeyRing:
    return KeyRing(key, fallbacks)


def key_ring() -> KeyRing:
    """Return the keys of the settings."""
    return _key_ring(settings.JWT_SIGNING_KEY, tuple(settings.JWT_SIGNING_KEY_FALLBACKS))


class AccessToken(simplejwt.AccessToken):
    """A quarter of an hour's leave to act for a person."""

    def get_token_backend(self) -> TokenBackend:
        return key_ring()


class RefreshToken(simplejwt.RefreshToken):
    """Good for one new pair of tokens."""

    def get_token_backend(self) -> TokenBackend:
        return key_ring()


Kind = type[AccessToken] | type[RefreshToken]


class InvalidToken(Exception):  # noqa: N818 -- it is an answer, not an accident
    """A string that is no token of ours of the wanted kind, or one that has expired."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claims:
    """What a genuine token says. Whether it still holds, only its session knows."""

    jti: str
    session_id: uuid.UUID
    user_id: uuid.UUID
    issued_at: dt.datetime
    expired: bool

    @classmethod
    def read(cls, kind: Kind, token: str, *, expired: bool = False) -> Self:
        """Return the claims of a token whose signature, issuer, type and times are right.

        With `expired` a token past its time is read as well, and says so. Raises InvalidToken for
        anything else.
        """
        if len(token) > _LONGEST_TOKEN or not _is_canonical(token):
            raise InvalidToken
        try:
            payload, late = _payload(kind, token, expired=expired)
            return cls(
                jti=_identifier(payload["jti"]),
                session_id=uuid.UUID(_text(payload["sid"])),
                user_id=uuid.UUID(_text(payload["user_id"])),
                issued_at=dt.datetime.fromtimestamp(payload["iat"], dt.UTC),
                expired=late,
            )
        except (TokenError, TokenBackendError, KeyError, *_UNREADABLE):
            raise InvalidToken from None


def _payload(kind: Kind, token: str, *, expired: bool) -> tuple[dict[str, Any], bool]:
    try:
        return kind(token).payload, False  # type: ignore[arg-type]  # simplejwt says Token and means its text
    except ExpiredTokenError:
        if not expired:
            raise
    payload = key_ring().decode_late(token)
    if payload["token_type"] != kind.token_type:
        raise TokenError
    return payload, True


def sign_token(
    kind: Kind,
    *,
    jti: str,
    session_id: uuid.UUID,
    user_id: uuid.UUID,
    issued_at: dt.datetime,
    expires_at: dt.datetime,
) -> str:
    """Return a token: always the same for the same arguments and key."""
    payload = {
        "token_type": kind.token_type,
        "exp": int(expires_at.timestamp()),
        "iat": int(issued_at.timestamp()),
        "jti": jti,
        "user_id": str(user_id),
        "sid": str(session_id),
    }
    return key_ring().encode(payload)


def _is_canonical(token: str) -> bool:
    """Return whether this is the one spelling of a token: base64url without padding or stray bits (RFC 7515)."""
    parts = token.split(".")
    if len(parts) != _PARTS or not _SPELLING.fullmatch(token):
        return False
    return all(
        _LAST_BITS.get(len(part) % 4, "").find(part[-1]) >= 0 for part in parts if len(part) % 4
    )


def _identifier(value: object) -> str:
    if not _JTI.fullmatch(_text(value)):
        raise ValueError
    return _text(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
