"""The pages of the admin that are measured: every list, order, filter, search and row."""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from authentication.admin.keyset import Order, Place
from authentication.management.generated_rows import options_of
from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession

_DEEP_SHARES = (0.5, 0.99)
# Besides the names of accounts.
_SEARCHED = {
    AuditLog: "ip_address",
    OutgoingEmail: "correlation_id",
    TokenBlacklist: "jti",
    UserSession: "refresh_token_jti",
}


Page = tuple[str, str, str, dict[str, str] | None]
"""Table, kind, path, and the form if one is posted."""


def all_pages(request: Any) -> Iterator[Page]:
    """Yield each page, as the user of a request sees it."""
    yield from _pages_of_people()
    yield from ((*page, None) for page in _pages_of_tables(request))


def _pages_of_people() -> Iterator[Page]:
    """Yield the front page, the pages of a person, and the searches."""
    user = User.objects.filter(is_staff=False).order_by("created_at")[0]
    yield "front page", "page", reverse("admin:index"), None
    person = reverse("admin:authentication_user_person", args=[user.pk])
    yield from (("person", "page", path, None) for path in (person, f"{person}disable/"))
    for text in (user.email, user.email[:7], user.last_name[:3], user.first_name, str(user.pk)):
        for name in ("find", "suggestions"):
            yield "person", name, reverse(f"admin:authentication_user_{name}"), {"q": text}
    today = timezone.localdate()
    days = {"since": f"{today - dt.timedelta(days=91)}", "until": f"{today}"}
    event = AuditLog.objects.filter(user=user).order_by("timestamp")[0]
    for given in (
        {},
        {"event": "password_reset"},
        {"risk": "critical"},
        {"person": user.email},
        {"address": event.ip_address or "203.0.113.7"},
        {"correlation_id": "0" * 32},
        {"person": user.email, "event": "login", "risk": "high"},
        {"address": "203.0.113.7", "event": "login_failed"},
    ):
        yield "audit log", "search", reverse("admin:authentication_auditlog_search"), days | given


def _pages_of_tables(request: Any) -> Iterator[tuple[str, str, str]]:
    for table in admin.site._registry.values():  # noqa: SLF001 -- Django's name
        options: Any = table.opts
        prefix, label = f"admin:{options.app_label}_{options.model_name}", options.model_name
        path = reverse(f"{prefix}_changelist")
        changelist: Any = table.get_changelist_instance(request)
        for kind, query in _lists(changelist):
            yield label, kind, f"{path}{query}"
        for row in changelist.result_list[:1]:
            for page in ("change", "history"):
                yield label, page, reverse(f"{prefix}_{page}", args=[row.pk])


def _lists(changelist: Any) -> Iterator[tuple[str, str]]:
    table, columns = changelist.model_admin, list(changelist.list_display)
    yield "list", ""
    yield from (("oldest first", f"?o={columns.index(name)}") for name in table.sortable_by)
    yield from (("deep page", f"?after={place}") for place in _deep(table))
    links = [
        [choice["query_string"] for choice in spec.choices(changelist) if not choice["selected"]]
        for spec in changelist.filter_specs
    ]
    yield from (("filter", link) for each in links for link in each)
    for first, second in itertools.combinations(links, 2):
        for pair in itertools.product(first, second):
            if sum(name in "&".join(pair) for name in table.filters_alone) <= 1:
                yield "two filters", "?" + "&".join(link.removeprefix("?") for link in pair)
    yield from (("search", f"?q={quote(term)}") for term in _terms(table.model))


def _deep(table: Any) -> Iterator[str]:
    """Yield places deep in a list, from a sample of its table."""
    order = Order.of(table.model, table.ordering[0])
    sample = list(
        table.model.objects.raw(
            f'SELECT * FROM "{options_of(table.model).db_table}" TABLESAMPLE SYSTEM (0.05)'  # noqa: S608 -- our own names
        )
    )
    sample.sort(key=lambda row: getattr(row, order.column), reverse=order.is_descending)
    for share in _DEEP_SHARES if sample else ():
        yield quote(Place.write(sample[int(len(sample) * share)], order))


def _terms(model: Any) -> Iterator[str]:
    user = User.objects.filter(is_staff=False).order_by("created_at")[0]
    yield from (user.email, user.username, "unknown@example.org", "unknown")
    if model is User:
        yield from (user.first_name, f"{user.first_name} {user.last_name}", user.first_name[0])
    if name := _SEARCHED.get(model):
        yield str(getattr(model.objects.all()[0], name))
