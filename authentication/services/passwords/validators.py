"""Password validators, in addition to Django's; AUTH_PASSWORD_VALIDATORS lists those in use."""

import unicodedata
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import UserAttributeSimilarityValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from authentication.models import PasswordHistory, User

_CLASSES: dict[Any, Callable[[str], bool]] = {
    _("an uppercase letter"): lambda character: (
        character.isupper() or unicodedata.category(character) == "Lt"
    ),
    _("a lowercase letter"): str.islower,
    _("a digit"): lambda character: unicodedata.category(character) == "Nd",
    _("a special character"): lambda character: not character.isalnum(),
}


class CompositionValidator:
    """Requires upper and lower case, a digit and a special character, of any script."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError naming each kind of character that is missing."""
        missing = [str(name) for name, test in _CLASSES.items() if not any(map(test, password))]
        if missing:
            raise ValidationError(
                _("The password must contain %(missing)s."),
                code="password_composition",
                params={"missing": ", ".join(missing)},
            )

    def get_help_text(self) -> str:
        """Return the rule in words."""
        names = ", ".join(map(str, _CLASSES))
        return _("Your password must contain {characters}.").format(characters=names)


class IdentitySimilarityValidator(UserAttributeSimilarityValidator):
    """Django's comparison with the user's data, and with more of it.

    The local part of the address, the display name, and the full name in either order are compared
    too, by their letters and digits alone.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if the password is similar to the user's data."""
        super().validate(password, user)
        local = user.email.rpartition("@")[0].lower() if user else ""
        if (
            local
            and SequenceMatcher(a=password.lower(), b=local).quick_ratio() >= self.max_similarity
        ):
            raise ValidationError(
                _("The password is too similar to the email address."), code="password_too_similar"
            )
        if user and any(self._is_similar(password, name) for name in _shown_names(user)):
            raise ValidationError(
                _("The password is too similar to your name."), code="password_too_similar"
            )

    def _is_similar(self, password: str, name: str) -> bool:
        one, other = _letters(password), _letters(name)
        return bool(other) and (
            SequenceMatcher(a=one, b=other).quick_ratio() >= self.max_similarity
        )


def _shown_names(user: User) -> tuple[str, ...]:
    first, last = user.first_name, user.last_name
    return (user.shown_as, f"{first}{last}", f"{last}{first}")


def _letters(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


class ContextWordsValidator:
    """Refuses the community's own words, which are guessed first (ASVS 6.1.2)."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if the password contains one of the words."""
        plain = unicodedata.normalize("NFKC", password).casefold()
        if any(word in plain for word in self.words):
            raise ValidationError(
                _("The password must not contain this community's name."), code="password_context"
            )

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return str(_("Your password must not contain this community's name."))


class PasswordHistoryValidator:
    """Refuses the current password and the last ones."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError if the password was used before."""
        # At the registration there is no row and no history.
        if user is None or user._state.adding or not settings.PASSWORD_HISTORY_LIMIT:  # noqa: SLF001 -- Django's own flag
            return
        newest = PasswordHistory.objects.filter(user_id=user.pk).order_by("-created_at", "-pk")
        kept = newest.values_list("password_hash", flat=True)[: settings.PASSWORD_HISTORY_LIMIT]
        normal = unicodedata.normalize("NFC", password)
        # An account made by a command has a password and no history.
        if any(
            check_password(normal, encoded) for encoded in dict.fromkeys([user.password, *kept])
        ):
            raise ValidationError(
                _("Choose a password that is not one of your last %(count)s."),
                code="password_reused",
                params={"count": settings.PASSWORD_HISTORY_LIMIT},
            )

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return _("Your password must not be one of your last {count}.").format(
            count=settings.PASSWORD_HISTORY_LIMIT
        )
