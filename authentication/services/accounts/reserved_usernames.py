"""Usernames that are reserved although no account has them, against account enumeration.

Registering a taken address gets the normal response but creates no account. If its username stayed
free, the next registration with that name would reveal that the address has an account.
"""

from django.core.cache import caches

from authentication.exceptions import ValidationFailed
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_username

_TAKEN = "This username is taken."
_RESERVED_SECONDS = 30 * 86_400


def username_taken() -> ValidationFailed:
    """Return the error for a username that is taken or reserved."""
    return ValidationFailed(errors={"username": [_TAKEN]})


def check_not_reserved(username: str) -> None:
    """Raise ValidationFailed if the username is reserved."""
    if caches["limits"].get(_key(username)) is not None:
        raise username_taken()


def reserve_username(username: str) -> None:
    """Reserve a username for 30 days."""
    caches["limits"].set(_key(username), 1, _RESERVED_SECONDS)


def _key(username: str) -> str:
    return f"username-held:{pseudonym('username', canonical_username(username))}"
