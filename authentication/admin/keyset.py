"""Pages that begin after a row instead of at a number (keyset pagination).

OFFSET reads all rows before a page, and numbering pages counts the whole table. Here each page is
one short read of an index, however deep it lies. A row that is inserted meanwhile moves no other
to another page.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Field, Model, Q, QuerySet

from .lookups import check_of

AFTER, BEFORE = "after", "before"
"""The parameters of a list that name the row before or after the page."""

_SEPARATOR = "~"


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: one column with an index, then the primary key, in one direction."""

    model: type[Model]
    column: str
    is_descending: bool

    @classmethod
    def of(cls, model: type[Model], ordering: str) -> Self:
        """Return the order that a name with or without a minus sign means."""
        return cls(model, ordering.removeprefix("-"), ordering.startswith("-"))

    @property
    def names(self) -> list[str]:
        """Return the order as `order_by` takes it."""
        sign = "-" if self.is_descending else ""
        return [f"{sign}{name}" for name in dict.fromkeys((self.column, "pk"))]

    @property
    def field(self) -> "Field[Any, Any] | None":
        """Return the column before the key; None if the order is that of the key."""
        # Django's name for the description of a model.
        options = self.model._meta  # noqa: SLF001
        return None if self.column == "pk" else options.get_field(self.column)  # type: ignore[return-value]

    @property
    def key(self) -> "Field[Any, Any]":
        """Return the primary key, or the one that it references."""
        key: Any = self.model._meta.pk  # noqa: SLF001 -- as above
        found: Field[Any, Any] = key.target_field if key.remote_field else key
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """The place of a row in an order, and which side of it is asked for."""

    value: Any
    key: Any
    is_before: bool = False

    @classmethod
    def read(cls, parameters: Mapping[str, str], order: Order) -> Self | None:
        """Return the place that the parameters of a list name, or None.

        Raises BadRequest if they name none.
        """
        given = [name for name in (AFTER, BEFORE) if name in parameters]
        if not given:
            return None
        text, separator, key = parameters[given[0]].rpartition(_SEPARATOR)
        field = order.field
        try:
            if len(given) > 1 or bool(separator) is not bool(field):
                raise BadRequest("The page of the list is not valid.")
            value = _parse(field, text) if field else None
            return cls(value, order.key.clean(key, None), is_before=given[0] == BEFORE)
        except ValidationError:
            raise BadRequest("The page of the list is not valid.") from None

    @staticmethod
    def write(row: Model, order: Order) -> str:
        """Return the place of a row as a parameter has it."""
        parts = [str(row.pk)]
        if order.field:
            value = getattr(row, order.field.attname)
            parts.insert(0, value.isoformat() if hasattr(value, "isoformat") else str(value))
        return _SEPARATOR.join(parts)


def _parse(field: "Field[Any, Any]", text: str) -> Any:
    if not check_of(field)(text):
        raise ValidationError("not a value of the column")
    return field.clean(text, None)


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the places where the pages beside it begin."""

    rows: list[Any]
    after: str | None
    before: str | None


def read_page(rows: QuerySet[Any], order: Order, place: Place | None, size: int) -> Page:
    """Return one page of rows, in one query."""
    is_before = place is not None and place.is_before
    found = rows.order_by(*order.names)
    if is_before:
        found = found.reverse()
    if place:
        found = _beyond(found, order, place)
    # One more than is shown tells whether there are more.
    read = list(found[: size + 1])
    has_more, page = len(read) > size, read[:size]
    if is_before:
        page.reverse()
    if not page:
        return Page([], None, None)
    first, last = Place.write(page[0], order), Place.write(page[-1], order)
    return Page(
        page,
        after=last if has_more or is_before else None,
        before=first if (has_more if is_before else place) else None,
    )


def _beyond(rows: QuerySet[Any], order: Order, place: Place) -> QuerySet[Any]:
    operator = "lt" if order.is_descending is not place.is_before else "gt"
    beyond = Q(**{f"pk__{operator}": place.key})
    if order.field is None:
        return rows.filter(beyond)
    beyond |= Q(**{f"{order.column}__{operator}": place.value})
    # The first condition lets an index find the place.
    return rows.filter(**{f"{order.column}__{operator}e": place.value}).filter(beyond)
