"""What the query string and the forms of a list may contain; anything else is Django's own 400."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.filters import FieldListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import BooleanField, DateTimeField, Field, Model, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Model]
else:
    _Admin = admin.ModelAdmin

# Years beyond these overflow when a time zone is applied.
_YEARS = range(1900, 3000)


class StrictLookupAdmin(_Admin):
    """A list that is filtered by the parameters of its `list_filter` only.

    Django accepts every lookup on every column of the table: `?email__regex=(` fails in the
    database, and `?arguments__0__startswith=` reveals a hidden column letter by letter.
    """

    # Facets would count the rows of each value of each filter.
    show_facets = ShowFacets.NEVER
    # Lookups of filters of which no index serves two at once: the link of one ends the others.
    filters_alone: ClassVar[tuple[str, ...]] = ()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        check = self._allowed_lookups(request).get(lookup)
        return check is not None and check(str(value))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        is_repeated = any(len(values) > 1 for _, values in request.GET.lists())
        if is_repeated or len(set(self.filters_alone) & set(request.GET)) > 1:
            raise DisallowedModelAdminLookup("These parameters cannot be combined.")
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters:
            # Django would redirect to a page that blames the installation of the database.
            raise DisallowedModelAdminLookup("A parameter of the list is not valid.") from None

    def response_action(  # type: ignore[override]  # the stubs are a version ahead
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> Any:
        for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                self.opts.pk.clean(selected, None)
            except ValidationError:
                raise BadRequest("A selected row has no valid id.") from None
        # An action is for the rows that the page shows, not for all of a table.
        request.POST = form = request.POST.copy()  # type: ignore[assignment]  # Django copies it, too
        form.pop("select_across", None)
        return super().response_action(request, queryset)

    def _allowed_lookups(self, request: Any) -> dict[str, Callable[[str], bool]]:
        """Return the parameters of the list's filters, each with a check of its value."""
        allowed: dict[str, Callable[[str], bool]] = {}
        for name in self.get_list_filter(request):
            field: Any = self.opts.get_field(str(name))
            spec: Any = FieldListFilter.create(field, request, {}, self.model, self, str(name))
            for parameter in spec.expected_parameters():
                is_null = parameter.endswith("__isnull")
                allowed[parameter] = _is_boolean if is_null else check_of(field)
        return allowed


def check_of(field: "Field[Any, Any]") -> Callable[[str], bool]:
    """Return a check of a text that is to be a value of a column."""
    if isinstance(field, BooleanField):
        return _is_flag
    if isinstance(field, DateTimeField):
        return _is_time
    if field.choices:
        values = {str(value) for value, _ in field.flatchoices}
        return values.__contains__
    return lambda value: "\x00" not in value and len(value) <= (field.max_length or 0)


def _is_boolean(value: str) -> bool:
    return value in {"True", "False"}


def _is_flag(value: str) -> bool:
    return value in {"0", "1"}


def _is_time(value: str) -> bool:
    try:
        found: dt.datetime | None = parse_datetime(value)
    except ValueError:
        return False
    return found is not None and found.tzinfo is not None and found.year in _YEARS
