"""Fields that take a value exactly as it is, or refuse it."""

import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from rest_framework import serializers
from rest_framework.utils import html

from authentication.utils.identifiers import (
    EMAIL_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    clean_email,
    clean_username,
)

PASSWORD_MAX_LENGTH = 128

# Control characters, those that turn the text's direction around them, and what stands for bytes
# that were no text.
_FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]"
)


class TextField(serializers.CharField):
    """A string: a number is none, and control characters have no place in it."""

    default_error_messages = {"control": "Control characters are not allowed here."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if _FORBIDDEN.search(data):
            self.fail("control")
        return str(super().to_internal_value(data))


class CheckedField(TextField):
    """A string that a function checks and puts into its normal form."""

    check: Callable[[str], str]

    def to_internal_value(self, data: Any) -> str:
        try:
            return type(self).check(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class EmailAddressField(CheckedField):
    """An address mail can be sent to."""

    check = staticmethod(clean_email)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_MAX_LENGTH, **kwargs)


class UsernameField(CheckedField):
    """A name nobody could mistake for another's."""

    check = staticmethod(clean_username)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=4 * USERNAME_MAX_LENGTH, **kwargs)


class PasswordField(TextField):
    """A password, exactly as typed: never trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        defaults = {"trim_whitespace": False, "write_only": True, "max_length": PASSWORD_MAX_LENGTH}
        super().__init__(**{**defaults, "style": {"input_type": "password"}, **kwargs})


class TokenField(TextField):
    """A token: opaque. One of any length is simply not a good one; the body's limit bounds it."""


class SessionTokenField(TokenField):
    """A token that stands for a session: none at all is a bad one, and no flaw of the body (contract 3)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, **kwargs})


class CodeField(TextField):
    """A code of a second factor, as it came: which spellings are good is decided where it is compared."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"trim_whitespace": False, "write_only": True, "max_length": 64, **kwargs}
        )


class FlagField(serializers.BooleanField):
    """True or false: in JSON those two and nothing else; in a form, their usual spellings."""

    # A form leaves out a box that is not ticked, and also one it does not have: neither says no.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool) and not html.is_html_input(
            getattr(self.root, "initial_data", None)
        ):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))


class ConsentField(FlagField):
    """Leave the person gives: saying no is saying that they do not want to register."""

    default_error_messages = {"declined": "This must be accepted."}

    def to_internal_value(self, data: Any) -> bool:
        if not super().to_internal_value(data):
            self.fail("declined")
        return True


class OneOfField(serializers.ChoiceField):
    """One of a few words, spelled as they are."""

    default_error_messages = {"invalid_choice": "Choose one of: {words}."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", words=", ".join(self.choices))
        return data


class TimezoneField(TextField):
    """A name of the IANA time zone database, such as Europe/Berlin."""

    default_error_messages = {"unknown": "Enter a time zone such as Europe/Berlin."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in zoneinfo.available_timezones():
            self.fail("unknown")
        return name
