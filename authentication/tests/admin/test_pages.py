"""The pages of a list: every row once, at the cost of a page."""

import datetime as dt
import itertools
import re
import uuid

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from authentication.admin import changelist
from authentication.models import (
    AuditLog,
    OutgoingEmail,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.answers import unexpected
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

from .paging import LISTED_AT_ONCE, keys_of, link, links_of, shorten_pages, statements, walk
from .staff import run_action
from .tables import TABLES, make_row, page_url
from .test_table_lookups import HOSTILE

pytestmark = pytest.mark.django_db

ROWS = 2 * LISTED_AT_ONCE + 1
MOST_QUERIES = 9
WALKED: tuple[type[Model], ...] = (
    AuditLog,
    Group,
    OutgoingEmail,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_pages(monkeypatch)


def make_rows(table: type[Model]) -> list[object]:
    """Store rows, more than half of them with the same times; return all keys of the table."""
    now = timezone.now()
    rows = [make_row(table) for _ in range(ROWS)]
    [ordering] = admin.site._registry[table].ordering or ()
    order = str(ordering).removeprefix("-")
    times = [order] if order.endswith(("_at", "timestamp")) else []
    for number, row in enumerate(rows):
        moment = now + dt.timedelta(days=1 + max(0, number - 4), microseconds=number // 4)
        if times:
            tamper(table._default_manager.filter(pk=row.pk), **dict.fromkeys(times, moment))
    return list(table._default_manager.values_list("pk", flat=True))


class TestWalking:
    @pytest.mark.slow
    def test_every_row_is_shown_once_in_every_order(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> list[str]:
            keys = sorted(map(str, make_rows(table)))
            orders = [it for it in links_of(superuser_client, table) if "o=" in it]
            walked = {it: walk(superuser_client, table, it) for it in ("", *orders)}
            return [
                f"{order}: {found}"
                for order, found in walked.items()
                if sorted(map(str, itertools.chain(*found))) != keys or len(found) < 3
            ]

        assert unexpected(WALKED, outcome, []) == {}

    @pytest.mark.slow
    def test_the_way_back_shows_the_same_pages(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> bool:
            make_rows(table)
            forth = list(itertools.chain(*walk(superuser_client, table)))
            first = superuser_client.get(page_url(table))
            second = superuser_client.get(page_url(table) + link(first, "Next page"))
            again = superuser_client.get(page_url(table) + link(second, "Previous page"))
            return keys_of(again) == keys_of(first) == forth[:LISTED_AT_ONCE]

        assert unexpected(WALKED, outcome, expected=True) == {}

    def test_the_last_page_leads_back_to_the_first(self, superuser_client: Client) -> None:
        make_rows(AuditLog)
        newest = list(itertools.chain(*walk(superuser_client, AuditLog)))

        last = superuser_client.get(page_url(AuditLog), {"o": "0"})

        assert keys_of(last) == newest[: -LISTED_AT_ONCE - 1 : -1]
        second = superuser_client.get(page_url(AuditLog) + link(last, "Next page"))
        assert keys_of(superuser_client.get(page_url(AuditLog) + link(second, "First page"))) == (
            keys_of(last)
        )

    @pytest.mark.slow
    def test_rows_that_come_meanwhile_move_no_others(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> bool:
            before = set(make_rows(table))
            walked = walk(superuser_client, table, between=lambda: make_row(table))
            found = list(itertools.chain(*walked))
            return before <= set(found) and len(found) == len(set(found))

        assert unexpected((AuditLog, OutgoingEmail, TokenBlacklist, User), outcome, True) == {}  # noqa: FBT003

    def test_a_row_that_is_gone_still_marks_its_place(self, superuser_client: Client) -> None:
        make_rows(AuditLog)
        pages = walk(superuser_client, AuditLog)
        first = superuser_client.get(page_url(AuditLog))
        tamper(AuditLog.objects.filter(pk__in=pages[0]))

        second = superuser_client.get(page_url(AuditLog) + link(first, "Next page"))

        assert keys_of(second) == pages[1]


class TestCosts:
    @pytest.mark.slow
    def test_no_page_counts_skips_or_sorts_out_rows(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> list[str]:
            make_rows(table)
            costly = re.compile(r"COUNT\(|\bOFFSET\b|DISTINCT", re.IGNORECASE)
            found = []
            for query in [*links_of(superuser_client, table), "?q=ruth", "?q=a@example.org"]:
                sent = statements(superuser_client, page_url(table) + query)
                found += [f"{query}: {sql}" for sql in sent if costly.search(sql)]
                found += [f"{query}: {len(sent)} queries"] if len(sent) > MOST_QUERIES else []
            return found

        assert unexpected(TABLES, outcome, []) == {}

    @pytest.mark.services
    def test_an_unfiltered_list_tells_about_how_many_rows_there_are(
        self, superuser_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changelist, "_ESTIMATED_FROM", 1)
        make_rows(AuditLog)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE authentication_auditlog")

        page = superuser_client.get(page_url(AuditLog))
        filtered = superuser_client.get(page_url(AuditLog), {"risk_level__exact": "low"})

        assert f"about {AuditLog.objects.count()} in all" in page.content.decode()
        assert "in all" not in filtered.content.decode()


class TestMalformedPlaces:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["after", "before"])
    def test_no_place_fails_the_server(self, superuser_client: Client, name: str) -> None:
        superuser_client.raise_request_exception = False
        now, key = timezone.now().isoformat(), str(uuid.uuid4())
        parts = (now, key, "1", *HOSTILE)
        values = {*HOSTILE, *("~".join(pair) for pair in itertools.product(parts, parts))}

        def status(case: tuple[type[Model], str]) -> bool:
            answer = superuser_client.get(page_url(case[0]), {name: case[1]})
            return answer.status_code in {200, 400}

        tables = (AuditLog, Group, TokenBlacklist, UserProfile)
        cases = itertools.product(tables, sorted(values))
        assert unexpected(cases, status, expected=True) == {}

    @pytest.mark.parametrize(
        "query",
        [
            "?after=x",
            "?after=",
            "?after=~",
            "?after=2026-11-29~{key}",
            "?after=2026-11-29T00:00:00~{key}",
            "?after={key}",
            "?after={place}&before={place}",
            "?after={place}&after={place}",
        ],
    )
    def test_what_names_no_place_is_a_400(self, superuser_client: Client, query: str) -> None:
        key = uuid.uuid4()
        place = f"2026-11-29T00:00:00%2B00:00~{key}"
        superuser_client.raise_request_exception = False

        path = page_url(AuditLog) + query.format(key=key, place=place)

        assert superuser_client.get(path).status_code == 400
        assert superuser_client.get(f"{page_url(AuditLog)}?after={place}").status_code == 200


class TestOrders:
    def test_only_columns_with_an_index_can_be_sorted_by(self, superuser_client: Client) -> None:
        make_rows(User)
        newest = walk(superuser_client, User)

        for order in ("1", "-2", "3.1", "99", "-", "x"):
            assert walk(superuser_client, User, f"?o={order}") == newest, order
        column = 5
        oldest = walk(superuser_client, User, f"?o={column}")
        assert list(itertools.chain(*oldest)) == list(itertools.chain(*newest))[::-1]

    def test_a_list_offers_to_sort_by_these_columns_alone(self, superuser_client: Client) -> None:
        make_rows(UserSession)

        page = superuser_client.get(page_url(UserSession)).content.decode()

        assert re.findall(r'class="sortable column-(\w+)', page) == ["expires_at"]


class TestFilters:
    def test_a_filter_ends_another_that_no_index_serves_beside_it(
        self, superuser_client: Client
    ) -> None:
        make_rows(AuditLog)
        page = superuser_client.get(page_url(AuditLog), {"risk_level__exact": "low"})

        links = re.findall(r'href="(\?[^"]*event_type__exact=login)"', page.content.decode())

        assert links == ["?event_type__exact=login"]

    @pytest.mark.parametrize(
        "query",
        [
            "?event_type__exact=login&risk_level__exact=low",
            "?event_type__exact=login&event_type__exact=logout",
            "?q=a&q=b",
        ],
    )
    def test_what_no_index_serves_is_a_400(self, superuser_client: Client, query: str) -> None:
        assert superuser_client.get(page_url(AuditLog) + query).status_code == 400

    def test_a_filter_begins_at_its_first_page(self, superuser_client: Client) -> None:
        make_rows(AuditLog)
        first = superuser_client.get(page_url(AuditLog))

        second = superuser_client.get(page_url(AuditLog) + link(first, "Next page"))

        page = second.content.decode()
        filters = page[page.index('id="changelist-filter"') :]
        assert "after=" not in filters
        assert 'name="after"' not in page


class TestActions:
    def test_an_action_concerns_the_selected_rows_alone(self, superuser_client: Client) -> None:
        chosen, _ = UserFactory(), UserFactory()
        form = {"action": "disable", "_selected_action": str(chosen.pk), "select_across": "1"}

        answer = superuser_client.post(page_url(User), {**form, "index": "0"}, follow=True)

        people = answer.context["bulk"].people.all()
        assert [it.user for it in people] == [chosen]

    def test_no_page_offers_to_select_the_rows_of_all_pages(self, superuser_client: Client) -> None:
        make_rows(User)

        page = superuser_client.get(page_url(User)).content.decode()

        assert f"0 of {LISTED_AT_ONCE} selected" in page
        assert "across all pages" not in page
        assert run_action(superuser_client, "disable", at=page_url(User)).status_code == 200
