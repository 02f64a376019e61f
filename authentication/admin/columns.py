"""Columns of the admin's lists and rows that show words instead of ids, codes and JSON."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.filters import ChoicesFieldListFilter, FieldListFilter
from django.utils.html import format_html, format_html_join

from authentication.models import UserSession
from authentication.services.admin_pages import lines_of, name_of, words_of_value
from authentication.utils.device_words import spoken

from .people import person_url

Column = Callable[[Any], str]


def column_of_person(field: Any, *, is_linked: bool) -> Column:
    """Return a column for a person; in the first one Django's own link leads to the row."""

    def column(row: Any) -> str:
        user = getattr(row, field.name)
        if user is None:
            return ""
        if not is_linked:
            return name_of(user)
        return format_html('<a href="{}">{}</a>', person_url(user.pk), name_of(user))

    return _named(column, field)


def column_of_words(field: Any) -> Column:
    """Return a column for a value with choices, or for a device."""

    def column(row: Any) -> str:
        value = getattr(row, field.name)
        return words_of_value(field, value) if field.choices and value else spoken(value or "")

    return _named(column, field)


def column_of_facts(field: Any) -> Column:
    """Return a column for JSON: each fact in a line."""

    def column(row: Any) -> str:
        lines = lines_of(getattr(row, field.name))
        return format_html_join("", "{}<br>", ((line,) for line in lines))

    return _named(column, field)


def is_device(field: Any) -> bool:
    """Return whether a column has words for devices."""
    return field.model is UserSession and field.name in {"device_name", "browser"}


class WordsFilter(ChoicesFieldListFilter):
    """A filter of a list whose choices are in words."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Return Django's choices, with our words for the values of the column."""
        values = {str(label): value for value, label in self.field.flatchoices}
        for choice in super().choices(changelist):
            label = str(choice["display"])
            named = words_of_value(self.field, values[label]) if label in values else label
            yield {**choice, "display": named}


FieldListFilter.register(lambda it: bool(it.choices), WordsFilter, take_priority=True)


def _named(column: Any, field: Any) -> Column:
    column.__name__ = field.name
    column.short_description = field.verbose_name
    shown: Column = column
    return shown
