"""Building block: usernames that seem taken although nobody has them.

Who registers a taken address with a free username is told that all went well. If the name stayed
free afterwards, that would tell that nothing was created, and so that the address has an account.
"""

from django.core.cache import caches

from authentication.exceptions import ValidationFailed
from authentication.utils.crypto import pseudonym
from authentication.utils.identifiers import canonical_username

_TAKEN = "This username is taken."
_HOLD_SECONDS = 30 * 86_400


def username_taken() -> ValidationFailed:
    """Return the refusal of a username that somebody has or that is held."""
    return ValidationFailed(errors={"username": [_TAKEN]})


def check_not_reserved(username: str) -> None:
    """Raise ValidationFailed if the name is held."""
    if caches["limits"].get(_key(username)) is not None:
        raise username_taken()


def reserve_username(username: str) -> None:
    """Let a name seem taken from now on."""
    caches["limits"].set(_key(username), 1, _HOLD_SECONDS)


def _key(username: str) -> str:
    return f"username-held:{pseudonym('username', canonical_username(username))}"
