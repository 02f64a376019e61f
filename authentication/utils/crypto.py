"""Random secrets, their digests, and keyed hashes of what must not be stored in the clear."""

import hashlib
import hmac
import secrets

from django.utils.crypto import salted_hmac


def new_token() -> str:
    """Return a secret of 256 random bits, safe in a URL (43 characters)."""
    return secrets.token_urlsafe(32)


def new_jti() -> str:
    """Return a token's identifier: 128 random bits in hexadecimal (RFC 7519, section 4.1.7)."""
    return secrets.token_hex(16)


def digest(token: str) -> str:
    """Return the SHA-256 of a secret in hexadecimal: all that is ever stored of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def pseudonym(purpose: str, value: str) -> str:
    """Return a keyed hash: the same for the same value, telling nothing of it to who lacks the key."""
    return salted_hmac(
        f"authentication.{purpose}", value.encode("utf-8", "surrogatepass"), algorithm="sha256"
    ).hexdigest()


def derived_jti(key: str, jti: str) -> str:
    """Return the identifier of the access token that goes with a refresh token, under the session's own key."""
    return hmac.digest(key.encode(), jti.encode(), "sha256").hex()[:32]
