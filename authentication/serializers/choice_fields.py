"""Serializer fields for one of several values: of a few words, a language, a time zone."""

import functools
import zoneinfo
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty

from .fields import TextField


class OneOfField(serializers.ChoiceField):
    """One of a few exact strings."""

    default_error_messages = {"invalid_choice": _("Please choose one of: {choices}.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", choices=", ".join(self.choices))
        return data


class LanguageField(OneOfField):
    """A language that the service is written in; empty to follow the browser's."""

    default_error_messages = {
        "invalid_choice": _("Please choose one of: {choices}. Empty follows the browser.")
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(settings.LANGUAGES, allow_blank=True, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        return "" if data == "" else super().run_validation(data)


class TimezoneField(TextField):
    """A name of the IANA time zone database, such as Europe/Berlin."""

    default_error_messages = {"unknown": _("Enter a time zone such as Europe/Berlin.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if name not in _timezones():
            self.fail("unknown")
        return name


class NewTimezoneField(TextField):
    """The time zone of a new account, sent by its browser or phone; an unknown one is UTC."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        return name if name in _timezones() else "UTC"


@functools.cache
def _timezones() -> frozenset[str]:
    # Read from the disk, with a file for each.
    return frozenset(zoneinfo.available_timezones())
