"""The list of an admin table, in pages that need no count and no OFFSET."""

import functools
import re
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.db import connections
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format

from .keyset import AFTER, BEFORE, Order, Place, read_page
from .sealed_search import SealedSearchForm

# Of a smaller table an estimate may be far off.
_ESTIMATED_FROM = 10_000
_DIGITS = 2
_ESTIMATE = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"


class KeysetChangeList(ChangeList):
    """A list that is ordered by one column of `sortable_by`, or by the default."""

    model_admin: Any
    first_page_link = previous_page_link = next_page_link = ""
    about = ""

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        self.search_form_class: Any = functools.partial(SealedSearchForm, request.user)
        super().__init__(request, *args, **kwargs)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        # A link to a filter, an order or a search leads to its first page.
        for parameters in (self.params, self.filter_params):
            for name in (AFTER, BEFORE):
                parameters.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        alone = set(self.model_admin.filters_alone)
        others = alone - set(new_params or ()) if alone & set(new_params or ()) else set()
        return super().get_query_string(new_params, [*(remove or ()), *others])

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        return self._order().names

    def get_ordering_field_columns(self) -> Any:
        order, shown = self._order(), list(self.list_display)
        direction = "desc" if order.is_descending else "asc"
        return {shown.index(order.column): direction} if order.column in shown else {}

    def get_results(self, request: HttpRequest) -> None:
        order = self._order()
        place = Place.read(request.GET.dict(), order)
        page = read_page(self.queryset, order, place, self.list_per_page)
        if place:
            self.first_page_link = self.get_query_string()
        if page.before:
            self.previous_page_link = self.get_query_string({BEFORE: page.before})
        if page.after:
            self.next_page_link = self.get_query_string({AFTER: page.after})
        self.result_list = page.rows
        # Equal, so that no page offers to select rows of other pages or speaks of a total.
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True
        self.about = self._estimate() if self.next_page_link or place else ""

    def _order(self) -> Order:
        [ordering] = self.model_admin.ordering
        return Order.of(self.model, self._chosen() or ordering)

    def _chosen(self) -> str:
        """Return the order of the query string, if it is one that an index serves."""
        found = re.fullmatch(r"(-?)([0-9]{1,2})", self.params.get(ORDER_VAR, ""))
        columns = dict(enumerate(self.list_display))
        name = columns.get(int(found[2])) if found else None
        return f"{found[1]}{name}" if found and name in self.model_admin.sortable_by else ""

    def _estimate(self) -> str:
        """Return about how many rows the whole table has; "" if that is not known or not shown."""
        connection = connections[self.queryset.db]
        if self.query or self.has_active_filters or connection.vendor != "postgresql":
            return ""
        with connection.cursor() as cursor:
            cursor.execute(_ESTIMATE, [f'"{self.opts.db_table}"'])
            rows = int(cursor.fetchone()[0])
        if rows < _ESTIMATED_FROM:
            return ""
        return number_format(round(rows, _DIGITS - len(str(rows))), force_grouping=True)
