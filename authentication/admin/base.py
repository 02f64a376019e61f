"""The base class of the admin's tables."""

from typing import Any, cast

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from authentication.models import User
from authentication.utils.identifiers import canonical_identifier

from .lookups import StrictLookupAdmin


class ReadOnlyAdmin(StrictLookupAdmin):
    """A read-only table: no row is added, changed or deleted in a form."""

    # Counting a table of millions of rows for every page is slow.
    show_full_result_count = False
    list_per_page = 50
    search_help_text = "Enter a complete email address or username."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # The search compares exact canonical forms, so that it can use an index.
        term = canonical_identifier(search_term)
        if search_term and not term:
            return queryset.none(), False
        return super().get_search_results(request, queryset, term)


def actor_of(request: HttpRequest) -> User:
    """Return the staff user who sent the request, for the audit log."""
    return cast(User, request.user)
