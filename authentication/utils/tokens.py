"""Access and refresh tokens: simplejwt's JWTs with key rotation and stricter parsing."""

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

# Our longest token has a third of this length.
_MAX_TOKEN_LENGTH = 2048
_PARTS = 3
_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# The last two or three base64 characters hold one or two bytes. The bits left over must be zero.
_LAST_BITS = {2: "AQgw", 3: "AEIMQUYcgkosw048"}
_JTI = re.compile(r"[\x21-\x7e]{1,64}")
# Raised by the libraries for a signed token with claims out of range or of the wrong type.
_BAD_CLAIMS = (ValueError, TypeError, OverflowError, OSError)


class KeyRing(TokenBackend):
    """Token backend that signs with the newest key and verifies with older keys too."""

    def __init__(self, key: str, fallbacks: tuple[str, ...]) -> None:
        leeway = settings.SIMPLE_JWT["LEEWAY"]
        super().__init__("HS256", key, issuer=settings.SIMPLE_JWT["ISSUER"], leeway=leeway)
        self._fallbacks = [
            TokenBackend("HS256", old, issuer=self.issuer, leeway=leeway) for old in fallbacks
        ]

    def decode(
        self,
        token: Any,
        verify: bool = True,  # noqa: FBT001, FBT002 -- simplejwt's signature
    ) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:
            raise
        except TokenBackendError:
            for fallback in self._fallbacks:
                try:
                    return fallback.decode(token, verify)
                except TokenBackendExpiredToken:
                    raise
                except TokenBackendError:
                    continue
            raise

    def decode_expired(self, token: str) -> dict[str, Any]:
        """Return the payload of a genuine token, even if it has expired.

        Raises TokenBackendError for any other token.
        """
        for keys in (self, *self._fallbacks):
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
    """Return the token backend with the keys of the settings."""
    return _key_ring(settings.JWT_SIGNING_KEY, tuple(settings.JWT_SIGNING_KEY_FALLBACKS))


class AccessToken(simplejwt.AccessToken):
    """JWT that authenticates requests for 15 minutes."""

    def get_token_backend(self) -> TokenBackend:
        return key_ring()


class RefreshToken(simplejwt.RefreshToken):
    """JWT that is exchanged once for a new pair of tokens."""

    def get_token_backend(self) -> TokenBackend:
        return key_ring()


Kind = type[AccessToken] | type[RefreshToken]


class InvalidToken(Exception):  # noqa: N818 -- the name of the state
    """The string is not a token of the wanted kind that we signed, or it has expired."""


@dataclasses.dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a genuine token. Only the session row tells if they are still in force."""

    jti: str
    session_id: uuid.UUID
    user_id: uuid.UUID
    issued_at: dt.datetime
    expired: bool

    @classmethod
    def read(cls, kind: Kind, token: str, *, expired: bool = False) -> Self:
        """Return the claims of a token with a valid signature, issuer, type and times.

        With `expired=True` an expired token is read too, and `Claims.expired` is True.

        Raises InvalidToken for any other string.
        """
        if len(token) > _MAX_TOKEN_LENGTH or not _is_canonical(token):
            raise InvalidToken
        try:
            payload, is_expired = _payload(kind, token, expired=expired)
            return cls(
                jti=_identifier(payload["jti"]),
                session_id=uuid.UUID(_text(payload["sid"])),
                user_id=uuid.UUID(_text(payload["user_id"])),
                issued_at=dt.datetime.fromtimestamp(payload["iat"], dt.UTC),
                expired=is_expired,
            )
        except (TokenError, TokenBackendError, KeyError, *_BAD_CLAIMS):
            raise InvalidToken from None


def _payload(kind: Kind, token: str, *, expired: bool) -> tuple[dict[str, Any], bool]:
    try:
        return kind(token).payload, False  # type: ignore[arg-type]  # a text
    except ExpiredTokenError:
        if not expired:
            raise
    payload = key_ring().decode_expired(token)
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
    """Return a signed token. Equal arguments give equal tokens under the same key."""
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
    """Return whether a token is base64url without padding or stray bits (RFC 7515).

    Other encodings of the same bytes are refused, so that a token has exactly one form.
    """
    parts = token.split(".")
    if len(parts) != _PARTS or not _COMPACT_JWS.fullmatch(token):
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
