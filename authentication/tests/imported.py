"""Hashes of an earlier installation."""

from typing import Any

import bcrypt
from django.contrib.auth import hashers

from authentication.tests.factories import PASSWORD

PBKDF2 = hashers.PBKDF2PasswordHasher
DECLARED = {"pbkdf2_sha256": 3_000, "bcrypt_sha256": 6, "bcrypt": 6}
CLASSES = [
    "authentication.services.passwords.hashers.ServiceArgon2Hasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "authentication.services.passwords.hashers.ImportedBCryptHasher",
]


def declare(settings: Any, **costs: int) -> None:
    """Declare hashes, as LEGACY_PASSWORD_HASHES does."""
    settings.LEGACY_PASSWORD_HASHES = costs or DECLARED
    settings.PASSWORD_HASHERS = CLASSES


def pbkdf2(password: str = PASSWORD, *, iterations: int = 2_000) -> str:
    """Return a hash as Django made it."""
    return str(PBKDF2().encode(password, "c2FsdHNhbHQ", iterations))


def bcrypt_sha256(password: str = PASSWORD, *, cost: int = 5) -> str:
    """Return a hash as Django made it."""
    hasher: Any = hashers.BCryptSHA256PasswordHasher()
    return str(hasher.encode(password, bcrypt.gensalt(cost)))


def plain_bcrypt(password: str = PASSWORD, *, cost: int = 5) -> str:
    """Return a hash as Django made it with a bcrypt that cut long passwords."""
    hashed = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost))
    return f"bcrypt${hashed.decode()}"
