"""The password policy."""

import unicodedata

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from authentication.exceptions import ValidationFailed
from authentication.models import User


def check_password_policy(password: str, user: User, *, field: str) -> None:
    """Raise ValidationFailed for a field, with every rule that the password breaks."""
    try:
        # In the form that is hashed: a combining accent is part of its letter, not a special
        # character.
        validate_password(unicodedata.normalize("NFC", password), user)
    except ValidationError as error:
        raise ValidationFailed(errors={field: list(error.messages)}) from None
