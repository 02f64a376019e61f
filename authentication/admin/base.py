"""The base class of the admin's tables."""

import functools
import operator
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.db.models import JSONField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import User
from authentication.services.acted_by import ActedBy
from authentication.services.admin_pages import name_of
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_identifier

from .changelist import KeysetChangeList
from .columns import column_of_facts, column_of_person, column_of_words, is_device
from .lookups import StrictLookupAdmin
from .sealed_search import is_search, redirect_to_found

Act = Callable[..., object]
"""What is done for a row: it gets the row and `by`, an ActedBy, and returns False for "nothing"."""


class KeysetAdmin(StrictLookupAdmin):
    """A table of any size: a page of its list is one short read of an index.

    `ordering` is one column that an index begins with or ends with, after the columns of a filter.
    Only the columns of `sortable_by` can be sorted by.
    """

    change_list_template = "admin/keyset_list.html"
    show_full_result_count = False
    list_per_page = 50
    sortable_by: ClassVar[tuple[str, ...]] = ()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if is_search(request):
            return redirect_to_found(request)
        return super().changelist_view(request, extra_context)


class ReadOnlyAdmin(KeysetAdmin):
    """A read-only table: no row is added, changed or deleted in a form."""

    change_form_template = "admin/row.html"

    # Columns with an index, compared exactly; `user` stands for the names of an account.
    search_fields: ClassVar[tuple[str, ...]] = ("user",)
    search_help_text: ClassVar[Any] = _("Enter a complete email address or username.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        names: Any = super().get_list_display(request)
        return [self._in_words(request, name, index > 0) for index, name in enumerate(names)]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Show what a row has in words, where the row is only read."""
        names: Any = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return names
        return [self._in_words(request, name, has_link=True) for name in names]

    def _in_words(self, request: HttpRequest, name: Any, has_link: bool) -> Any:  # noqa: FBT001
        """Return a column in words; people by their names if staff may see accounts."""
        field: Any = {it.name: it for it in self.opts.fields}.get(name)
        if field is None:
            return name
        if field.related_model is User:
            may_see = actor_of(request).has_perm("authentication.view_user")
            return column_of_person(field, is_linked=has_link) if may_see else name
        if isinstance(field, JSONField):
            return column_of_facts(field)
        return column_of_words(field) if field.choices or is_device(field) else name

    def act_on_each(
        self, request: HttpRequest, rows: Iterable[Any], act: Act, *, permission: str
    ) -> int:
        """Do an action, which needs a permission, for each row; return for how many it was done.

        What refused it is shown without names: messages are kept in a cookie.
        """
        by = acted_by(request, permission=f"authentication.{permission}")
        done, refusals = 0, Counter[str]()
        for row in rows:
            try:
                done += act(row, by=by) is not False
            except PermissionRefused as refusal:
                refusals[str(refusal.detail)] += 1
        for text, count in refusals.items():
            self.message_user(request, f"{text} ({count})" if count > 1 else text, messages.ERROR)
        return done

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Name a row by its person, not by ids and codes."""
        row = context.get("original")
        user = row if isinstance(row, User) else getattr(row, "user", None)
        name = name_for(request, user) if isinstance(user, User) else ""
        context |= {"row_name": name, "subtitle": name}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return self.search(queryset, search_term.strip()) if search_term else queryset, False

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the rows of the account with this name, else those with the term in a column.

        One or the other: PostgreSQL has no index for a condition on two tables.
        """
        if "user" in self.search_fields and (user_id := account_named(term)):
            return rows.filter(user_id=user_id)
        columns = [name for name in self.search_fields if name != "user"]
        equal = [Q(**{name: term}) for name in columns]
        return rows.filter(functools.reduce(operator.or_, equal)) if equal else rows.none()


def account_named(term: str) -> uuid.UUID | None:
    """Return the account with this address or username, in any spelling."""
    canonical = canonical_identifier(term)
    found = User.objects.identified_by(canonical).values_list("pk", flat=True)
    return found.first() if canonical else None


def actor_of(request: HttpRequest) -> User:
    """Return the staff user who sent the request."""
    return cast(User, request.user)


def acted_by(request: HttpRequest, reason: str = "", *, permission: str = "") -> ActedBy:
    """Return who sent the request, from where, and why."""
    client = ClientInfo.of(request)
    return ActedBy(actor_of(request), client, reason, permission=permission)


def name_for(request: HttpRequest, user: User) -> str:
    """Return the name of a person to staff who may see accounts, else the username."""
    may_see = actor_of(request).has_perm("authentication.view_user")
    return name_of(user) if may_see else user.username
