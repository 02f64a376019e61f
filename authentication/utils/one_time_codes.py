"""Codes of authenticator apps (RFC 6238, by django-otp) and recovery codes: making them and reading them."""

import base64
import hmac
import re
import secrets
from urllib.parse import quote, urlencode

from django_otp.oath import hotp

STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10

# RFC 4226, section 4, wants 160 bits.
_SEED_BYTES = 20
# Clocks of phones differ: one step to each side.
_TOLERANCE = 1
# ASCII alone: full-width and other digits are no spelling of a code.
_APP_CODE = re.compile(r"[0-9]{6}")
# Crockford's alphabet: no letter looks like a digit. 24 of them are 120 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH, _GROUP = 24, 6
_MISREAD = str.maketrans("oil", "011", "- ")


def new_seed() -> bytes:
    """Return a new seed of 160 random bits."""
    return secrets.token_bytes(_SEED_BYTES)


def base32(seed: bytes) -> str:
    """Return a seed as people type it into an app."""
    return base64.b32encode(seed).decode("ascii")


def otpauth_uri(seed: bytes, *, issuer: str, account: str) -> str:
    """Return the address that an app reads from a QR code."""
    named = {
        "secret": base32(seed),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP_SECONDS,
    }
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{urlencode(named, quote_via=quote)}"


def is_totp_code(code: str) -> bool:
    """Return whether a code has the form of an app's."""
    return _APP_CODE.fullmatch(code) is not None


def matching_step(seed: bytes, code: str, *, timestamp: float) -> int | None:
    """Return the time step a code of the app belongs to, this one or a neighbour; None if it is none of theirs."""
    now, found = int(timestamp) // STEP_SECONDS, None
    for step in range(now - _TOLERANCE, now + _TOLERANCE + 1):
        # Every step is looked at, however early one fits: the time taken tells nothing.
        if hmac.compare_digest(
            totp_code(seed, step).encode(), code.encode("utf-8", "surrogatepass")
        ):
            found = step
    return found


def totp_code(seed: bytes, step: int) -> str:
    """Return what the app shows during a time step."""
    return f"{hotp(seed, step, DIGITS):0{DIGITS}d}"


def new_recovery_codes() -> list[str]:
    """Return ten codes of 120 random bits, in groups of six characters."""
    codes = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)
    )
    return ["-".join(code[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP)) for code in codes]


def canonical_recovery_code(code: str) -> str:
    """Return the form in which recovery codes are compared; an empty string for what is none."""
    plain = code.lower().translate(_MISREAD) if code.isascii() else ""
    return plain if len(plain) == _LENGTH else ""
