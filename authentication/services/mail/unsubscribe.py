"""Building block: the links that end a person's notices (RFC 8058). They hold no secret and never expire."""

import uuid

from django.core import signing

_SALT = "authentication.unsubscribe"


def unsubscribe_token(user_id: uuid.UUID) -> str:
    """Return the token of a person's unsubscribe link."""
    return signing.dumps(user_id.hex, salt=_SALT)


def read_unsubscribe_token(token: str) -> uuid.UUID:
    """Return whose token this is; raises BadSignature if it is nobody's."""
    try:
        return uuid.UUID(signing.loads(token, salt=_SALT))
    except (ValueError, TypeError, AttributeError) as error:
        raise signing.BadSignature from error
