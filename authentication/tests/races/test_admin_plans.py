"""Query plans of the admin's lists on PostgreSQL: an index finds the rows, in their order."""

import itertools
import re
import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client

from authentication.models import (
    BulkAction,
    FailedTask,
    OutgoingEmail,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.tests.admin.paging import links_of, shorten_pages, statements
from authentication.tests.admin.tables import OWN_TABLES, make_row, page_url
from authentication.tests.answers import unexpected
from authentication.tests.commands.running import run_command
from authentication.tests.factories import UserFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

# What PostgreSQL does only if no index serves, however small the tables are.
_AVOIDED_IN_LISTS = ("seqscan", "bitmapscan", "sort")


@pytest.fixture
def staff(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Return a superuser's browser, before tables with rows and short pages."""
    shorten_pages(monkeypatch)
    run_command("seed_demo", people=20)
    for table in OWN_TABLES:
        for _ in range(5):
            make_row(table)
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def plans(client: Client, table: type[Model], query: str, *avoided: str) -> list[str]:
    """Return the plans of a list's statements about its table, if PostgreSQL avoids some ways."""
    sent = statements(client, page_url(table) + query)
    about = [it for it in sent if f' FROM "{table._meta.db_table}"' in it]
    found = []
    with transaction.atomic(), connection.cursor() as cursor:
        for way in avoided:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for statement in about:
            cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
            found.append("\n".join(line for (line,) in cursor.fetchall()))
    assert found
    return found


def test_an_index_serves_each_order_filter_and_page(staff: Client) -> None:
    def slow(table: type[Model]) -> list[str]:
        return [
            f"{query}\n{plan}"
            for query in links_of(staff, table)
            for plan in plans(staff, table, query, *_AVOIDED_IN_LISTS)
            if re.search(
                rf"Seq Scan on {table._meta.db_table}|^ *(->  )?Sort  ", plan, re.MULTILINE
            )
        ]

    assert unexpected(OWN_TABLES, slow, []) == {}


def test_an_index_serves_each_search(staff: Client) -> None:
    user = User.objects.filter(first_name__gt="")[0]

    def slow(case: tuple[type[Model], str]) -> list[str]:
        found = plans(staff, case[0], f"?q={case[1]}", "seqscan")
        return [plan for plan in found if "Seq Scan" in plan]

    tables = [table for table in OWN_TABLES if table not in {BulkAction, FailedTask}]
    cases = itertools.product(tables, (user.email, user.username))
    assert unexpected(cases, slow, []) == {}
    for table in (TokenBlacklist, UserSession, OutgoingEmail):
        assert slow((table, "0" * 32)) == []


def test_an_index_serves_each_way_to_find_a_person(staff: Client) -> None:
    address = User.objects.filter(email_verified=True)[0].email

    def slow(text: str) -> list[str]:
        path = f"{page_url(User)}find/suggestions/"
        sent = [it for it in statements(staff, path, {"q": text}) if text[:3] in it]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            found = [plan_of(cursor, it) for it in sent]
        assert found
        return [plan for plan in found if "Seq Scan" in plan]

    texts = (address, address[:3], "ruth", uuid.uuid4().hex, "198.51.100.7")
    assert unexpected(texts, slow, []) == {}


def plan_of(cursor: Any, statement: str) -> str:
    """Return the plan of a statement."""
    cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
    return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("zip", "user_email_begins"),
        ("zip", "user_username_begins"),
        ("0123456789abcdef", "audit_correlation_id"),
        ("198.51.100.7", "audit_address_newest"),
    ],
)
def test_this_index_finds_a_person(staff: Client, text: str, index: str) -> None:
    path = f"{page_url(User)}find/suggestions/"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = [plan_of(cursor, it) for it in statements(staff, path, {"q": text}) if text in it]

    assert index in "\n".join(found)


def test_the_front_page_reads_the_log_by_an_index(staff: Client) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sent = [it for it in statements(staff, "/admin/") if 'FROM "authentication_' in it]
        slow = [it for it in (plan_of(cursor, sql) for sql in sent) if "Seq Scan" in it]

    assert [it for it in slow if "Seq Scan on authentication_failedtask" not in it] == []


def test_an_index_serves_a_search_for_words_of_a_name(staff: Client) -> None:
    for words in ("ru", "ruth mo"):
        assert "user_names" in "".join(plans(staff, User, f"?q={words}", "seqscan")), words
