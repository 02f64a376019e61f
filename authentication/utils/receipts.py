"""Receipts of erasures: numbers that people keep, and that name nobody."""

import secrets

# Crockford's base32: no letter looks like a digit. 16 characters hold 80 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH, _GROUP = 16, 4
_MISREAD = str.maketrans("oil", "011")


def new_receipt() -> str:
    """Return a random receipt: 16 characters in groups of four."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(text[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def canonical_receipt(typed: str) -> str:
    """Return a receipt as it is compared, however it was typed; empty if it cannot be one."""
    plain = "".join(it for it in typed.lower() if it.isalnum()).translate(_MISREAD)
    if len(plain) != _LENGTH or set(plain) - set(_ALPHABET):
        return ""
    return "-".join(plain[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))
