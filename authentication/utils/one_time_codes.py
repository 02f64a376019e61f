"""TOTP codes of authenticator apps (RFC 6238, by django-otp) and recovery codes."""

import base64
import hmac
import re
import secrets
import unicodedata
from urllib.parse import quote, urlencode

from django.utils.translation import gettext_lazy as _
from django_otp.oath import hotp

STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10

# RFC 4226, section 4, recommends 160 bits.
_SEED_BYTES = 20
# The clocks of phones differ: the previous and the next time step are accepted too.
_TOLERANCE = 1
_APP_CODE = re.compile(r"[0-9]{6}")
# Crockford's base32: no letter looks like a digit. 24 characters hold 120 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH, _GROUP = 24, 6
_MISREAD = str.maketrans("oil", "011")
_RECOVERY_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
NOT_A_CODE = _("Enter the six digits from your app, or a recovery code of 24 letters and digits.")
LONGEST_TYPED = 128
"""The longest text, in characters, that is read as a code: a recovery code, spaced out."""
# Blanks, dashes and format characters (the marks of right-to-left text). The Japanese long vowel
# mark and the minus signs are what some keyboards have in the place of a dash.
_DROPPED = {"Zs", "Zl", "Zp", "Pd", "Cf"}
_DROPPED_TOO = "\t\n\r\u2212\u2043\u30fc\u02d7"


def new_seed() -> bytes:
    """Return a new TOTP secret of 160 random bits."""
    return secrets.token_bytes(_SEED_BYTES)


def base32(seed: bytes) -> str:
    """Return a secret in base32, the form that people type into an app."""
    return base64.b32encode(seed).decode("ascii")


def otpauth_uri(seed: bytes, *, issuer: str, account: str) -> str:
    """Return the otpauth:// URI that an app reads from a QR code."""
    parameters = {
        "secret": base32(seed),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP_SECONDS,
    }
    query = urlencode(parameters, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"


def is_totp_code(code: str) -> bool:
    """Return whether a code has the form of a TOTP code: six digits."""
    return _APP_CODE.fullmatch(code) is not None


def matching_step(seed: bytes, code: str, *, timestamp: float) -> int | None:
    """Return the time step of a valid TOTP code, or None.

    `timestamp` is in seconds since 1970. A step lasts 30 seconds; one step to each side is valid.
    """
    now, found = int(timestamp) // STEP_SECONDS, None
    for step in range(now - _TOLERANCE, now + _TOLERANCE + 1):
        # All steps are compared, even after a match, so that the response time reveals nothing.
        if hmac.compare_digest(
            totp_code(seed, step).encode(), code.encode("utf-8", "surrogatepass")
        ):
            found = step
    return found


def totp_code(seed: bytes, step: int) -> str:
    """Return the six digits that an app shows during a time step."""
    return f"{hotp(seed, step, DIGITS):0{DIGITS}d}"


def new_recovery_codes() -> list[str]:
    """Return ten random codes of 120 bits: 24 characters in groups of six."""
    codes = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)
    )
    return ["-".join(code[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP)) for code in codes]


def canonical_code(typed: str) -> str:
    """Return a code as it is compared: a TOTP code or a recovery code, however it was typed.

    It is NFKC without blanks and dashes of any kind, with the digits of any script as ASCII digits.
    The case of a recovery code does not matter, and o, i and l are read as 0, 1 and 1. A text that
    cannot be a code gives an empty string.
    """
    if len(typed) > LONGEST_TYPED:
        return ""
    plain = "".join(map(_plain, unicodedata.normalize("NFKC", typed)))
    return plain if is_totp_code(plain) else canonical_recovery_code(plain)


def canonical_recovery_code(code: str) -> str:
    """Return a recovery code in the form that is compared, or an empty string if malformed.

    Case, hyphens and blanks do not matter, and o, i and l are read as 0, 1 and 1.
    """
    plain = "".join(map(_plain, code[:LONGEST_TYPED])).lower().translate(_MISREAD)
    return plain if _RECOVERY_CODE.fullmatch(plain) else ""


def _plain(character: str) -> str:
    if character in _DROPPED_TOO or unicodedata.category(character) in _DROPPED:
        return ""
    return str(unicodedata.decimal(character, character))
