"""Password hashes of an earlier installation: their form, their cost, and the same time for all.

They take longer to compare than ours. Without more work, a wrong password would tell an imported
account from a name without one. So every comparison does the work of all that are declared.
"""

import dataclasses
import hashlib
import re
from collections.abc import Mapping

import bcrypt
from django.conf import settings

_PBKDF2 = re.compile(r"(pbkdf2_sha256)\$([1-9][0-9]{0,6})\$[!-#%-~]{1,128}\$[A-Za-z0-9+/]{43}=")
_BCRYPT = re.compile(r"(bcrypt_sha256|bcrypt)\$\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_LONGEST = 300
_CHEAPEST_BCRYPT = 4
_BCRYPT_BYTES = 72


@dataclasses.dataclass(frozen=True, slots=True)
class LegacyHash:
    """The algorithm of a hash, and its cost: iterations of PBKDF2, the logarithm for bcrypt."""

    algorithm: str
    cost: int


def parsed(encoded: str) -> LegacyHash | None:
    """Return what a hash in Django's encoding is; None for ours, and for anything malformed."""
    if len(encoded) > _LONGEST:
        return None
    found = _PBKDF2.fullmatch(encoded) or _BCRYPT.fullmatch(encoded)
    if not found or (found[1] != "pbkdf2_sha256" and int(found[2]) < _CHEAPEST_BCRYPT):
        return None
    return LegacyHash(found[1], int(found[2]))


def declared() -> Mapping[str, int]:
    """Return the highest cost of each algorithm that the operator has declared."""
    costs: Mapping[str, int] = settings.LEGACY_PASSWORD_HASHES
    return costs


def is_imported(encoded: str) -> bool:
    """Return whether a hash is of a declared algorithm; others are never compared."""
    own = parsed(encoded)
    return own is not None and own.algorithm in declared()


def even_out(password: str, encoded: str) -> None:
    """Do the work of the declared hashes that a comparison with `encoded` has not done.

    `encoded` is "" if nothing was compared.
    """
    own = parsed(encoded)
    for algorithm, most in declared().items():
        done = own.cost if own and own.algorithm == algorithm else 0
        if algorithm == "pbkdf2_sha256":
            _spend_pbkdf2(password, most - done)
        else:
            _spend_bcrypt(password, done, most)


def _spend_pbkdf2(password: str, iterations: int) -> None:
    if iterations > 0:
        hashlib.pbkdf2_hmac("sha256", password.encode(), b"no account", iterations)


def _spend_bcrypt(password: str, done: int, most: int) -> None:
    # Each cost takes twice as long as the one before: those from `done` on, together with what was
    # done, take as long as `most`.
    for cost in range(done, most) if done else (most,):
        bcrypt.hashpw(password.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(cost))
