"""Fingerprints of the keys in the settings: they tell keys apart and reveal none."""

import hmac

from django.conf import settings

_PURPOSE = b"authentication.keys"


def fingerprints() -> dict[str, list[str]]:
    """Return the fingerprints of the keys by setting: first the key in use, then the fallbacks."""
    rings = {
        "SECRET_KEY": [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS],
        "JWT_SIGNING_KEY": [settings.JWT_SIGNING_KEY, *settings.JWT_SIGNING_KEY_FALLBACKS],
        "FIELD_ENCRYPTION_KEYS": settings.FIELD_ENCRYPTION_KEYS,
    }
    return {name: [_fingerprint(key) for key in keys] for name, keys in rings.items()}


def newest_secret_key_id() -> str:
    """Return the fingerprint of SECRET_KEY."""
    return _fingerprint(settings.SECRET_KEY)


def _fingerprint(key: str) -> str:
    return hmac.digest(key.encode(), _PURPOSE, "sha256").hex()[:12]
