"""Encryption of database fields: AES-256-GCM under keys that can be rotated."""

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
    """The ciphertext was altered, its key is unknown, or it belongs to another context."""


def encrypt(data: bytes, *, context: str) -> str:
    """Return data encrypted with the newest key, as `<key id>.<base64>`.

    `context` names the row and is authenticated with the data. An attacker who can write to the
    database cannot copy the secret of one user into the row of another.
    """
    key = settings.FIELD_ENCRYPTION_KEYS[0]
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = nonce + _cipher(key).encrypt(nonce, data, context.encode())
    return f"{_key_id(key)}.{base64.urlsafe_b64encode(sealed).decode('ascii')}"


def decrypt(text: str, *, context: str) -> bytes:
    """Return data that was encrypted with the same context.

    Raises DecryptionError if the key is unknown, the text was altered or the context differs.
    """
    key_id, _, encoded = text.partition(".")
    for key in settings.FIELD_ENCRYPTION_KEYS:
        if _key_id(key) == key_id:
            try:
                sealed = base64.urlsafe_b64decode(encoded)
                return _cipher(key).decrypt(
                    sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode()
                )
            except (ValueError, InvalidTag):
                break
    raise DecryptionError


def newest_key_id() -> str:
    """Return the ID of the newest key: 8 hexadecimal digits, the prefix of its ciphertexts."""
    return key_ids()[0]


def key_ids() -> list[str]:
    """Return the IDs of all keys, the newest first."""
    return [_key_id(key) for key in settings.FIELD_ENCRYPTION_KEYS]


@functools.lru_cache(maxsize=16)
def _cipher(key: str) -> AESGCM:
    # A key in the settings is text of any length, in development even SECRET_KEY. HKDF derives a
    # key of 256 bits for this purpose alone.
    derived = HKDF(
        algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"authentication.fields"
    ).derive(key.encode())
    return AESGCM(derived)


@functools.lru_cache(maxsize=16)
def _key_id(key: str) -> str:
    return hashlib.sha256(b"authentication.fields.name:" + key.encode()).hexdigest()[:8]
