"""Building block: which passwords are good enough."""

import unicodedata

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from authentication.exceptions import ValidationFailed
from authentication.models import User


def check_password_policy(password: str, user: User, *, field: str) -> None:
    """Raise ValidationFailed, with every rule the password breaks under the name of its field."""
    try:
        # As it will be hashed: an accent typed on its own is part of its letter, and no special
        # character.
        validate_password(unicodedata.normalize("NFC", password), user)
    except ValidationError as error:
        raise ValidationFailed(errors={field: list(error.messages)}) from None
