"""Walking the lists of the admin by the links of their pages."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from .tables import page_url

LISTED_AT_ONCE = 3


def shorten_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every list show LISTED_AT_ONCE rows on a page."""
    for table in admin.site._registry.values():
        monkeypatch.setattr(table, "list_per_page", LISTED_AT_ONCE)


def keys_of(answer: Any) -> list[Any]:
    """Return the keys of the rows that a list shows."""
    assert answer.status_code == 200, answer.content
    return [row.pk for row in answer.context["cl"].result_list]


def link(answer: Any, label: str) -> str:
    """Return where a link of a page leads, or an empty text."""
    pattern = rf'<a href="([^"]*)"[^>]*>(?:<span[^>]*>[^<]*</span> )?{label}'
    found = re.search(pattern, answer.content.decode())
    return found[1].replace("&amp;", "&") if found else ""


def walk(
    client: Client,
    table: type[Model],
    query: str = "",
    *,
    label: str = "Next page",
    between: Callable[[], object] = lambda: None,
) -> list[list[Any]]:
    """Follow a link from page to page; return the keys of each, and do something in between."""
    return [keys_of(answer) for answer in pages(client, table, query, label, between)]


def pages(
    client: Client,
    table: type[Model],
    query: str,
    label: str = "Next page",
    between: Callable[[], object] = lambda: None,
) -> Iterator[Any]:
    """Yield the pages of a list."""
    for _ in range(50):
        answer = client.get(page_url(table) + query)
        yield answer
        query = link(answer, label)
        if not query:
            return
        between()
    raise AssertionError("The list does not end.")


def statements(client: Client, path: str, form: dict[str, str] | None = None) -> list[str]:
    """Return the statements that a page sends, or its form."""
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(path, form) if form else client.get(path)
    assert answer.status_code == 200, path
    return [query["sql"] for query in captured.captured_queries]


def links_of(client: Client, table: type[Model]) -> list[str]:
    """Return the query strings that a list leads to: its orders, filters and next page."""
    answer = client.get(page_url(table))
    changelist = answer.context["cl"]
    filters = [
        choice["query_string"]
        for spec in changelist.filter_specs
        for choice in spec.choices(changelist)
    ]
    shown = list(changelist.list_display)
    columns = [shown.index(name) for name in changelist.model_admin.sortable_by]
    orders = [f"?o={sign}{column}" for column in columns for sign in ("", "-")]
    for each in filters:
        assert f'href="{escape(each)}"' in answer.content.decode()
    return ["", *orders, *filters, *filter(None, [link(answer, "Next page")])]
