"""What the desk's tables share."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from authentication.models import User
from authentication.utils.identifiers import canonical_identifier

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Model]
else:
    _Admin = admin.ModelAdmin


# Secrets, and the address, which PostgreSQL compares with nothing that is none (the search box
# takes it).
_SECRET = {
    "password",
    "erasure_key",
    "content",
    "password_hash",
    "token",
    "binding",
    "session_key",
    "ip_address",
}


class ReadOnlyAdmin(_Admin):
    """A table to look at: nothing is added, changed or deleted by hand."""

    # Counting a table of millions for every page costs more than it tells.
    show_full_result_count = False
    list_per_page = 50
    search_help_text = "A whole email address or username."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        # `?password__startswith=` would tell letter by letter what no page shows; PostgreSQL has no
        # NUL in its texts.
        if _SECRET & set(lookup.split("__")) or "\x00" in str(value):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]  # always given by Django 5

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # The search compares canonical forms exactly, so that the index answers it.
        term = canonical_identifier(search_term)
        if search_term and not term:
            return queryset.none(), False
        return super().get_search_results(request, queryset, term)


def actor_of(request: HttpRequest) -> User:
    """Return the member of staff at the desk."""
    return cast(User, request.user)
