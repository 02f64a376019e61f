"""Lists and rows: who sees them, and how many queries they need."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.models import AuditLog, User, UserProfile, UserSession
from authentication.tests.answers import unexpected
from authentication.tests.conftest import queries
from authentication.tests.factories import UserFactory

from .staff import ClientOf, MakeStaff
from .tables import OWN_TABLES, TABLES, make_row, page_url, result_count

pytestmark = pytest.mark.django_db


MOST_QUERIES = 9


def pages_shown(client: Client, table: type[Model]) -> list[int]:
    """Return the statuses of a table's list and of a row's page and history."""
    row = make_row(table)
    answers = [
        client.get(page_url(table)),
        client.get(page_url(table, "change", row.pk)),
        client.get(page_url(table, "history", row.pk)),
    ]
    if answers[0].status_code == 200:
        assert result_count(answers[0]) >= 1, table
    return [answer.status_code for answer in answers]


def query_count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200
    return len(queries(captured))


class TestViewing:
    def test_a_superuser_sees_list_row_and_history(self, superuser_client: Client) -> None:
        shown = unexpected(TABLES, lambda table: pages_shown(superuser_client, table), [200] * 3)

        assert shown == {}

    def test_staff_with_permission_see_list_row_and_history(self, viewer: Client) -> None:
        assert unexpected(OWN_TABLES, lambda table: pages_shown(viewer, table), [200] * 3) == {}

    def test_staff_without_permission_see_no_page(
        self, client_of: ClientOf, make_staff: MakeStaff
    ) -> None:
        client = client_of(make_staff())

        assert unexpected(TABLES, lambda table: pages_shown(client, table), [403] * 3) == {}

    def test_only_superusers_open_groups(self, client_of: ClientOf, make_staff: MakeStaff) -> None:
        client = client_of(make_staff("view_group", "add_group", "change_group", "delete_group"))
        row = make_row(Group)

        for path in (
            page_url(Group),
            page_url(Group, "add"),
            page_url(Group, "change", row.pk),
            page_url(Group, "delete", row.pk),
        ):
            assert client.get(path).status_code == 403
            assert client.post(path, {"name": "mine", "post": "yes"}).status_code == 403
        assert page_url(Group) not in client.get("/admin/").content.decode()

    def test_an_unknown_row_redirects(self, superuser_client: Client) -> None:
        keys = ("0", "x", str(uuid.UUID(int=0)), "' OR 1=1 --", "_00", "9" * 40)

        def status(case: tuple[type[Model], str]) -> int:
            return superuser_client.get(page_url(case[0], "change", case[1])).status_code

        assert unexpected(itertools.product(OWN_TABLES, keys), status, 302) == {}

    def test_a_malformed_filter_is_no_server_error(self, viewer: Client) -> None:
        make_row(AuditLog)

        for name, value in {
            "event_type__exact": "\x00",
            "ip_address": "x",
            "id": "x",
            "timestamp__gte": "yesterday",
            "success__exact": "perhaps",
            "nothing": "x",
            "p": "99",
            "o": "99.-1",
            "e": "1",
        }.items():
            assert viewer.get(page_url(AuditLog), {name: value}).status_code < 500, name


class TestQueries:
    @pytest.mark.slow
    def test_a_list_needs_the_same_queries_for_any_number_of_rows(
        self, superuser_client: Client
    ) -> None:
        def costs(table: type[Model]) -> tuple[int, int]:
            make_row(table)
            query_count(superuser_client, page_url(table))
            few = query_count(superuser_client, page_url(table))
            for _ in range(8):
                make_row(table)
            return few, query_count(superuser_client, page_url(table))

        found = {table.__name__: costs(table) for table in TABLES}

        assert {name: it for name, it in found.items() if not it[1] == it[0] <= MOST_QUERIES} == {}

    def test_a_row_needs_few_queries(self, viewer: Client) -> None:
        found = {
            table.__name__: query_count(viewer, page_url(table, "change", make_row(table).pk))
            for table in OWN_TABLES
        }

        assert {name: count for name, count in found.items() if count > MOST_QUERIES} == {}

    @pytest.mark.parametrize("client_name", ["superuser_client", "viewer"])
    def test_an_account_with_many_permissions_needs_no_more_queries(
        self, request: pytest.FixtureRequest, make_staff: MakeStaff, client_name: str
    ) -> None:
        client, one = request.getfixturevalue(client_name), make_staff("view_user")
        many = UserFactory(is_staff=True)
        many.user_permissions.set(Permission.objects.all()[:30])
        path = page_url(User, "change", one.pk)
        query_count(client, path)

        assert (
            query_count(client, page_url(User, "change", many.pk))
            <= query_count(client, path)
            <= MOST_QUERIES
        )


def test_text_written_by_a_client_is_escaped(superuser_client: Client) -> None:
    evil = "<script>alert(1)</script>"
    user = UserFactory(first_name=evil, last_name=evil)
    UserSession.objects.create(
        user=user, device_name=evil, user_agent=evil, expires_at=timezone.now() + dt.timedelta(1)
    )
    AuditLog.objects.create(
        user=user, event_type="login", user_agent=evil, metadata={"device": evil}
    )
    UserProfile.objects.filter(user=user).update(display_name=evil)
    rows: list[Callable[[], Model]] = [
        table._default_manager.get for table in (UserSession, AuditLog)
    ]
    paths = [page_url(type(row()), "change", row().pk) for row in rows]

    for path in (
        *paths,
        page_url(User, "change", user.pk),
        page_url(UserProfile, "change", user.pk),
        page_url(UserSession),
    ):
        assert evil not in superuser_client.get(path).content.decode()
