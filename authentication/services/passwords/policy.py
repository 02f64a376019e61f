"""The password policy."""

import unicodedata

from django.contrib.auth.password_validation import get_default_password_validators
from django.core.exceptions import ValidationError

from authentication.exceptions import ValidationFailed
from authentication.models import User, UserProfile

from .validators import PasswordHistoryValidator


def check_password_policy(password: str, user: User, *, field: str) -> None:
    """Raise ValidationFailed for a field, with every rule that the password breaks."""
    broken = broken_rules(password, user)
    if broken:
        raise ValidationFailed(errors={field: broken})


def broken_rules(password: str, user: User | None, *, with_history: bool = True) -> list[str]:
    """Return a message for each rule of the policy that a password breaks.

    `with_history=False` leaves out the comparison with former passwords: only a person who has
    proven to be the owner may learn of these.
    """
    # In the form that is hashed: a combining accent is part of its letter, not a special character.
    stored, messages = unicodedata.normalize("NFC", password), list[str]()
    _load_display_name(user)
    for validator in get_default_password_validators():
        if with_history or not isinstance(validator, PasswordHistoryValidator):
            try:
                validator.validate(stored, user)
            except ValidationError as error:
                messages += error.messages
    return messages


def _load_display_name(user: User | None) -> None:
    if user is not None and not user._state.adding and not user.shown_as:  # noqa: SLF001 -- Django's own flag
        profile = UserProfile.objects.for_user(user.pk)
        user.shown_as = profile.display_name if profile else ""
