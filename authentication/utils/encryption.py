"""Secrets that the service must read again, encrypted in the database: AES-256-GCM under keys that can be rotated."""

import base64
import functools
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_KEY_BYTES, _NONCE_BYTES = 32, 12


class DecryptionError(Exception):
    """A text under a key we do not have, for another place, or altered."""


def encrypt(data: bytes, *, context: str) -> str:
    """Return data in a form only our keys open, and only in the place that `context` names.

    The place is bound to it: who could write to the database might copy one person's secret into
    another's row.
    """
    key = settings.FIELD_ENCRYPTION_KEYS[0]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + _cipher(key).encrypt(nonce, data, context.encode())
    return f"{_key_id(key)}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def decrypt(text: str, *, context: str) -> bytes:
    """Return what was encrypted for this place.

    Raises DecryptionError.
    """
    name, _, encoded = text.partition(".")
    for key in settings.FIELD_ENCRYPTION_KEYS:
        if _key_id(key) == name:
            try:
                sealed = base64.urlsafe_b64decode(encoded)
                return _cipher(key).decrypt(
                    sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()
                )
            except (ValueError, InvalidTag):
                break
    raise DecryptionError


def newest_key_id() -> str:
    """Return what every text begins with that is encrypted under the newest key."""
    return _key_id(settings.FIELD_ENCRYPTION_KEYS[0])


@functools.lru_cache(maxsize=16)
def _cipher(key: str) -> AESGCM:
    # A key of the settings is a random text of any form, and may be SECRET_KEY in development:
    # never used as it is.
    derived = HKDF(
        algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"authentication.fields"
    ).derive(key.encode())
    return AESGCM(derived)


@functools.lru_cache(maxsize=16)
def _key_id(key: str) -> str:
    return hashlib.sha256(b"authentication.fields.name:" + key.encode()).hexdigest()[:8]
