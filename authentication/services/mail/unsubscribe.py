"""Tokens of unsubscribe links (RFC 8058): a signed account and address, which never expire."""

import uuid
from typing import NamedTuple

from django.core import signing

from authentication.utils.crypto import pseudonym, pseudonyms
from authentication.utils.identifiers import canonical_email

_SALT = "unsubscribe"


class Subscription(NamedTuple):
    """The account that a mail was about, and a keyed hash of the address that it went to.

    Links are logged on their way, and a hash without a key could be guessed from.
    """

    user_id: uuid.UUID
    address: str

    def is_for(self, canonical: str) -> bool:
        """Return whether the mail went to this address."""
        return self.address in pseudonyms(_SALT, canonical)


def unsubscribe_token(user_id: uuid.UUID, address: str) -> str:
    """Return the token of the unsubscribe link in a mail to an address."""
    hashed = pseudonym(_SALT, canonical_email(address))
    return signing.dumps([user_id.hex, hashed], salt=_SALT)


def read_unsubscribe_token(token: str) -> Subscription:
    """Return what a token was made for; raise BadSignature if the token is invalid."""
    try:
        user_id, address = signing.loads(token, salt=_SALT)
        return Subscription(uuid.UUID(user_id), address)
    except (ValueError, TypeError, AttributeError) as error:
        raise signing.BadSignature from error
