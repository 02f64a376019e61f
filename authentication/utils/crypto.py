"""Random tokens, their SHA-256 digests, and HMACs of personal data."""

import hashlib
import hmac
import secrets

from django.conf import settings
from django.utils.crypto import salted_hmac


def new_token() -> str:
    """Return a random token of 256 bits: 43 characters of URL-safe base64."""
    return secrets.token_urlsafe(32)


def new_jti() -> str:
    """Return a random JWT ID (RFC 7519, section 4.1.7): 128 bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def digest(token: str) -> str:
    """Return the SHA-256 of a token in hexadecimal. Only this digest is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def pseudonym(purpose: str, value: str) -> str:
    """Return an HMAC-SHA-256 of a value, under SECRET_KEY and a purpose, in hexadecimal.

    Equal values can be matched, but without the key no value can be guessed from its HMAC.
    """
    return salted_hmac(
        f"authentication.{purpose}", value.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


def pseudonyms(purpose: str, value: str) -> list[str]:
    """Return a value's HMACs under SECRET_KEY and its fallbacks, the newest first."""
    text = value.encode("utf-8", "surrogatepass")
    return [
        salted_hmac(f"authentication.{purpose}", text, secret=key, algorithm="sha256").hexdigest()
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    ]


def derived_jti(key: str, jti: str) -> str:
    """Return the JWT ID of an access token, derived from that of its refresh token.

    `key` is the secret of the session. The result has 32 hexadecimal digits.
    """
    return hmac.digest(key.encode(), jti.encode(), "sha256").hex()[:32]
