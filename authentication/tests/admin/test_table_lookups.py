"""Query strings, ids and forms of the admin that are malformed or not allowed."""

import itertools
import logging
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from authentication.models import AuditLog, FailedTask, OutgoingEmail, User, UserSession
from authentication.tests.answers import unexpected

from .tables import TABLES, make_row, page_url, result_count

pytestmark = [pytest.mark.django_db, pytest.mark.security]

HOSTILE = (
    "",
    "(",
    "x",
    "-1",
    "9" * 30,
    "9" * 5000,
    "\x00",
    "\u0663",
    "\U0001f600",
    "None",
    "[]",
    "0001-01-01 00:00:00+14:00",
    "9999-12-31 23:59:59-14:00",
    "2026-01-01",
    "2026-02-31 00:00:00+00:00",
)
HOSTILE_FOR_FILTERS = ("(", "9" * 30, "\x00", *HOSTILE[-4:])
LOOKUPS = (
    "regex",
    "range",
    "0__startswith",
)


@pytest.fixture(autouse=True)
def _quiet_refusals(caplog: pytest.LogCaptureFixture) -> None:
    """Do not write the traceback of every refusal: that would take half of the time."""
    caplog.set_level(logging.CRITICAL, "django.security")


def statuses(client: Client, path: str, values: dict[str, str]) -> int:
    """Return the status of a page, with the exceptions of the service answered as it does."""
    client.raise_request_exception = False
    return int(client.get(path, values).status_code)


class TestFilters:
    @pytest.mark.parametrize(
        ("table", "lookup", "value"),
        [
            (FailedTask, "arguments__0__startswith", "a"),
            (User, "email__regex", "("),
            (User, "email__startswith", "r"),
            (User, "id__gt", "x"),
            (User, "groups__permissions__name__regex", "("),
            (AuditLog, "metadata__name__startswith", "a"),
            (AuditLog, "user__email__startswith", "a"),
            (OutgoingEmail, "context__when__regex", "("),
            (UserSession, "ip_address__startswith", "1"),
            (Group, "permissions__codename__regex", "("),
        ],
    )
    def test_a_lookup_that_no_filter_offers_is_a_400(
        self, superuser_client: Client, table: type[Model], lookup: str, value: str
    ) -> None:
        assert statuses(superuser_client, page_url(table), {lookup: value}) == 400

    @pytest.mark.slow
    def test_every_link_of_every_filter_works(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> list[int]:
            make_row(table)
            page = superuser_client.get(page_url(table))
            links = [
                choice["query_string"]
                for spec in page.context["cl"].filter_specs
                for choice in spec.choices(page.context["cl"])
            ]
            assert links or table is Group or not page.context["cl"].has_filters
            answers = [superuser_client.get(page_url(table) + link) for link in links]
            return [answer.status_code for answer in answers if answer.status_code != 200]

        assert unexpected(TABLES, outcome, []) == {}

    def test_a_filter_selects_its_rows(self, superuser_client: Client) -> None:
        AuditLog.objects.create(event_type="logout")
        AuditLog.objects.create(event_type="login")

        answer = superuser_client.get(page_url(AuditLog), {"event_type__exact": "logout"})

        assert result_count(answer) == 1

    @pytest.mark.slow
    def test_every_lookup_on_every_column_is_a_400_or_a_list(
        self, superuser_client: Client
    ) -> None:
        def outcome(case: tuple[type[Model], str]) -> set[int]:
            table, lookup = case
            names = [f"{field.name}__{lookup}" for field in table._meta.get_fields()]
            found = {statuses(superuser_client, page_url(table), {it: "("}) for it in names}
            return found - {400, 200}

        assert unexpected(itertools.product(TABLES, LOOKUPS), outcome, set()) == {}


class TestMalformedValues:
    @pytest.mark.slow
    def test_no_value_of_a_filter_fails_the_server(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> list[tuple[str, str]]:
            filters = superuser_client.get(page_url(table)).context["cl"].filter_specs
            names = [name for spec in filters for name in spec.expected_parameters()]
            return [
                (name, value[:20])
                for name, value in itertools.product(names, HOSTILE_FOR_FILTERS)
                if statuses(superuser_client, page_url(table), {name: value}) not in {200, 400}
            ]

        assert unexpected(TABLES, outcome, []) == {}

    @pytest.mark.parametrize("name", ["o", "p", "q", "e", "_to_field", "_popup", "_facets"])
    def test_no_other_parameter_of_a_list_fails_the_server(
        self, superuser_client: Client, name: str
    ) -> None:
        # One table with UUIDs as keys, and one with numbers.
        cases = itertools.product((AuditLog, FailedTask), HOSTILE)
        found = {
            f"{table.__name__} {value[:20]}": statuses(
                superuser_client, page_url(table), {name: value}
            )
            for table, value in cases
        }

        assert set(found.values()) <= {200, 400}, found

    @pytest.mark.slow
    def test_no_id_in_a_url_fails_the_server(self, superuser_client: Client) -> None:
        ids = ("x", "%00", "-1", "9" * 30, str(uuid.uuid4()), "_0A", "..%2F", "%F0%9F%98%80")

        def outcome(table: type[Model]) -> list[tuple[str, str]]:
            cases = itertools.product(("change", "history", "delete"), ids)
            paths = [
                (page, pk, f"{page_url(table)}{pk}/{page}/?_to_field=id") for page, pk in cases
            ]
            return [
                (page, pk)
                for page, pk, path in paths
                if statuses(superuser_client, path, {}) not in {302, 400, 403, 404}
            ]

        assert unexpected(TABLES, outcome, []) == {}

    def test_a_link_to_a_row_by_its_content_type_is_a_400_or_404(
        self, superuser_client: Client
    ) -> None:
        kinds = [*ContentType.objects.values_list("pk", flat=True), "x", "9" * 30, "%00"]
        cases = itertools.product(kinds, ("x", "%00", "9" * 30, str(uuid.uuid4())))
        found = {
            f"{kind} {pk}": statuses(superuser_client, f"/admin/r/{kind}/{pk}/", {})
            for kind, pk in cases
        }

        assert {case: it for case, it in found.items() if it not in {400, 404}} == {}

    def test_malformed_autocompletes_are_refused(self, superuser_client: Client) -> None:
        base = {"app_label": "auth", "model_name": "group", "field_name": "permissions"}
        cases = [
            {**base, **dict(zip(names, values, strict=True)), "term": term}
            for names in (("app_label",), ("model_name",), ("field_name",), ("term",))
            for values in itertools.product(HOSTILE)
            for term in ("x", "\x00")
        ]
        found = [statuses(superuser_client, "/admin/autocomplete/", case) for case in cases]

        assert set(found) <= {400, 403, 404}

    def test_there_is_no_autocomplete(self, superuser_client: Client) -> None:
        relations = (
            ("authentication", "user", "profile"),
            ("authentication", "user", "sessions"),
            ("authentication", "usersession", "user"),
            ("auth", "group", "user"),
        )
        names = ("app_label", "model_name", "field_name")
        found = [
            statuses(superuser_client, "/admin/autocomplete/", dict(zip(names, it, strict=True)))
            for it in relations
        ]

        assert found == [404] * len(relations)

    @pytest.mark.parametrize("selected", ["x", "", "\x00", "9" * 30, "-"])
    def test_an_action_on_a_malformed_id_is_a_400(
        self, superuser_client: Client, selected: str
    ) -> None:
        superuser_client.raise_request_exception = False

        def outcome(case: tuple[type[Model], str]) -> int:
            table, action = case
            make_row(table)
            form = {"action": action, "_selected_action": [selected]}
            return int(superuser_client.post(page_url(table), form).status_code)

        cases = [
            (User, "unlock"),
            (UserSession, "end"),
            (OutgoingEmail, "send_again"),
            (FailedTask, "send_again"),
        ]
        assert unexpected(cases, outcome, 400) == {}


TEXT = st.text(max_size=40)
NAMES = st.one_of(
    st.sampled_from(["q", "o", "p", "_to_field", "created_at__gte", "is_active__exact", "email"]),
    st.builds(
        lambda *parts: "__".join(parts),
        st.sampled_from(["user", "email", "metadata", "password", "created_at", "arguments"]),
        st.sampled_from(["regex", "startswith", "gte", "isnull", "user", "0"]),
    ),
    TEXT,
)


@given(table=st.sampled_from(TABLES), parameters=st.dictionaries(NAMES, TEXT, max_size=4))
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_any_query_string_gets_a_list_or_a_400(
    superuser_client: Client, table: type[Model], parameters: dict[str, Any]
) -> None:
    assert statuses(superuser_client, page_url(table), parameters) in {200, 400}
