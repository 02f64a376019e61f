"""Serializer fields that are stricter than DRF's: no coercion, no control characters."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.utils import html

from authentication.utils.identifiers import (
    EMAIL_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    clean_email,
    clean_username,
    remove_invisible,
)
from authentication.utils.lookalikes import is_visible
from authentication.utils.one_time_codes import LONGEST_TYPED, NOT_A_CODE, canonical_code

PASSWORD_MAX_LENGTH = 128

# Control, bidirectional and surrogate characters, and U+FFFD, which replaces undecodable bytes.
_FORBIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffd]"
)

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def identifier_of(attrs: dict[str, Any], *names: str) -> str:
    """Remove the fields that may name an account; return the first that does.

    Raises ValidationError for the first field if none does.
    """
    given = [str(attrs.pop(name, "")) for name in names]
    if not any(given):
        raise serializers.ValidationError({names[0]: [_("This field is required.")]})
    return next(filter(None, given))


class TextField(serializers.CharField):
    """A string without control characters. Numbers are not converted to strings."""

    default_error_messages = {"control": _("Please remove line breaks and invisible characters.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if _FORBIDDEN.search(data):
            self.fail("control")
        return str(super().to_internal_value(data))


class NameField(TextField):
    """A name that other people are shown. It may be blank, but not look so."""

    default_error_messages = {"invisible": _("Please use letters that can be seen.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name and not is_visible(name):
            self.fail("invisible")
        return name


class CheckedField(TextField):
    """A string that the function `check` validates and normalizes."""

    check: Callable[[str], str]

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # Before the check: normalizing a long run of combining marks takes quadratic time.
        if self.max_length is not None and len(text) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        try:
            return type(self).check(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class EmailAddressField(CheckedField):
    """A valid email address."""

    check = staticmethod(clean_email)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=EMAIL_MAX_LENGTH, **kwargs)


class UsernameField(CheckedField):
    """A username that cannot be mistaken for another."""

    check = staticmethod(clean_username)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=4 * USERNAME_MAX_LENGTH, **kwargs)


class PasswordField(TextField):
    """A password of at most 128 characters, as typed but for its Unicode form (NFC)."""

    def __init__(self, **kwargs: Any) -> None:
        defaults = {"trim_whitespace": False, "write_only": True, "max_length": PASSWORD_MAX_LENGTH}
        super().__init__(**{**defaults, "style": {"input_type": "password"}, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        # A letter is made of four characters at most. A longer text is refused for its length as it
        # is: a run of combining marks takes quadratic time to normalize.
        if len(text) > 4 * PASSWORD_MAX_LENGTH:
            return text
        # The form that is hashed: length, policy and breach check all look at it.
        return unicodedata.normalize("NFC", text)


class TokenField(TextField):
    """An opaque token.

    Its length is not limited here: a token that is too long is an invalid token.
    """


class SessionTokenField(TokenField):
    """A token of a session. A missing or blank one is an invalid token (401), not a bad request."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, **kwargs})


class CodeField(serializers.CharField):
    """A TOTP or recovery code as people and apps write it, read as it is compared."""

    default_error_messages = {"not_a_code": NOT_A_CODE}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"write_only": True, "max_length": LONGEST_TYPED, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        code = canonical_code(data)
        if not code:
            self.fail("not_a_code")
        return code


class DeviceNameField(serializers.CharField):
    """What a device is called. It is cosmetic, so that no value of it is refused.

    Control, format and invisible characters are removed, and the rest is cut at `max_length`. A
    value that is no text counts as no name.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"required": False, "default": "", "allow_blank": True, "max_length": 100, **kwargs}
        )

    def run_validation(self, data: Any = serializers.empty) -> str:
        return self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            return ""
        plain = remove_invisible(data).replace("\ufffd", "")
        visible = (it for it in plain if unicodedata.category(it) not in _UNSEEN)
        return "".join(visible).strip()[: self.max_length].rstrip()


class FlagField(serializers.BooleanField):
    """A boolean. JSON must hold true or false; forms may use DRF's usual spellings."""

    # Forms omit unticked checkboxes, so that a missing field must not mean False.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool) and not html.is_html_input(
            getattr(self.root, "initial_data", None)
        ):
            self.fail("invalid", input=data)
        return bool(super().to_internal_value(data))


class ConsentField(FlagField):
    """A consent: only true is accepted."""

    default_error_messages = {"declined": _("Please accept this to continue.")}

    def to_internal_value(self, data: Any) -> bool:
        if not super().to_internal_value(data):
            self.fail("declined")
        return True
