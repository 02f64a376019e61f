"""Tokens of unsubscribe links (RFC 8058): a signed user id that never expires."""

import uuid

from django.core import signing

_SALT = "authentication.unsubscribe"


def unsubscribe_token(user_id: uuid.UUID) -> str:
    """Return the token of a user's unsubscribe link."""
    return signing.dumps(user_id.hex, salt=_SALT)


def read_unsubscribe_token(token: str) -> uuid.UUID:
    """Return the user id in a token; raise BadSignature if the token is invalid."""
    try:
        return uuid.UUID(signing.loads(token, salt=_SALT))
    except (ValueError, TypeError, AttributeError) as error:
        raise signing.BadSignature from error
