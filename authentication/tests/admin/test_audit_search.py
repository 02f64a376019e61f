"""The page that searches the audit log, and exports what it finds."""

import csv
import datetime as dt
import io
import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authentication.models import AuditLog, User
from authentication.tests.factories import UserFactory

from .staff import ClientOf, MakeStaff

SEARCH = "/admin/authentication/auditlog/search/"
REQUEST = uuid.uuid4().hex

pytestmark = pytest.mark.django_db


@pytest.fixture
def ruth(db: None) -> User:
    """Return a person with three events of three kinds, beside those of another."""
    ruth, other = UserFactory(first_name="Ruth", last_name="Moab"), UserFactory()
    for user in (ruth, other):
        AuditLog.log_event("login", user=user, ip_address="203.0.113.7")
        AuditLog.log_event("password_change", user=user, risk_level="medium")
    AuditLog.log_event("login", user=ruth, ip_address="2001:db8::1", correlation_id=REQUEST)
    old = timezone.now() - dt.timedelta(days=40)
    AuditLog.log_event("login", user=ruth, timestamp=old)
    return ruth


def search(client: Client, **given: str) -> Any:
    today = f"{timezone.localdate():%Y-%m-%d}"
    return client.post(SEARCH, {"since": today, "until": today, **given})


def count(answer: Any) -> int:
    return len(answer.context["found"])


class TestSearch:
    @pytest.mark.parametrize(
        ("given", "found"),
        [
            ({}, 5),
            ({"event": "login"}, 3),
            ({"risk": "medium"}, 2),
            ({"person": "RUTH"}, 3),
            ({"person": "RUTH", "event": "login"}, 2),
            ({"address": "203.0.113.7"}, 2),
            ({"address": "2001:DB8:0::1"}, 1),
            ({"correlation_id": f" {REQUEST} "}, 1),
            ({"person": "RUTH", "risk": "critical"}, 0),
        ],
    )
    def test_it_finds_what_has_all_that_is_given(
        self, superuser_client: Client, ruth: User, given: dict[str, str], found: int
    ) -> None:
        named = {it: ruth.email.upper() if text == "RUTH" else text for it, text in given.items()}

        assert count(search(superuser_client, **named)) == found

    def test_it_shows_words_and_links_to_people(self, superuser_client: Client, ruth: User) -> None:
        page = search(superuser_client, person=ruth.username).content.decode()

        assert "3 events" in page
        assert "Changed the password" in page
        assert f'<a href="/admin/authentication/user/{ruth.pk}/person/">Ruth Moab</a>' in page

    def test_staff_who_may_not_see_accounts_read_no_names(
        self, client_of: ClientOf, make_staff: MakeStaff, ruth: User
    ) -> None:
        page = search(client_of(make_staff("view_auditlog"))).content.decode()

        assert "5 events" in page
        assert "Moab" not in page
        assert f"{ruth.pk}/person/" not in page

    def test_more_than_200_are_not_shown(
        self, superuser_client: Client, django_assert_max_num_queries: Any
    ) -> None:
        user = UserFactory()
        AuditLog.objects.bulk_create(AuditLog(event_type="login", user=user) for _ in range(201))

        with django_assert_max_num_queries(15):
            answer = search(superuser_client)

        assert count(answer) == 200
        assert "The newest 200 events" in answer.content.decode()

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"since": "2026-11-02", "until": "2026-11-01"}, "The first day is after the last"),
            ({"since": "2026-01-01", "until": "2026-12-01"}, "at most 92 days"),
            ({"since": "", "until": "2026-12-01"}, "This field is required."),
            ({"since": "x", "until": "2026-12-01"}, "Enter a valid date."),
            ({"since": "0001-01-01", "until": "0001-01-02"}, "no events of these years."),
            ({"since": "9999-12-30", "until": "9999-12-31"}, "no events of these years."),
            ({"person": "no one"}, "No account has this address or username."),
            ({"person": "a\x00b"}, "Null characters are not allowed."),
            ({"address": "203.0.113"}, "This is not an IP address."),
            ({"event": "x"}, "Select a valid choice."),
        ],
    )
    @pytest.mark.parametrize("export", ["", "csv"])
    def test_what_makes_no_sense_is_told(
        self, superuser_client: Client, given: dict[str, str], told: str, export: str
    ) -> None:
        answer = search(superuser_client, export=export, **given)

        assert answer.status_code == 200
        assert told in answer.content.decode()
        assert not AuditLog.objects.exists()


class TestExport:
    def test_a_file_has_what_is_found(self, superuser_client: Client, ruth: User) -> None:
        answer = search(superuser_client, person=ruth.email, event="login", export="csv")

        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
        assert [row["user_id"] for row in rows] == [str(ruth.pk)] * 2
        event = AuditLog.objects.get(event_type="audit_log_exported")
        assert (event.user, event.metadata["events"]) == (ruth, ["login"])

    def test_lines_of_json_are_another_format(self, superuser_client: Client, ruth: User) -> None:
        answer = search(superuser_client, address="203.0.113.7", export="jsonl")

        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert {json.loads(line)["ip_address"] for line in lines} == {"203.0.113.7"}
        event = AuditLog.objects.get(event_type="audit_log_exported")
        assert event.metadata["address"] == "203.0.113.7"

    def test_another_format_is_refused(self, superuser_client: Client) -> None:
        assert search(superuser_client, export="xlsx").status_code == 403


def test_the_list_finds_the_number_of_a_request(superuser_client: Client, ruth: User) -> None:
    for term in (REQUEST, str(uuid.UUID(REQUEST)), REQUEST.upper()):
        answer = superuser_client.get("/admin/authentication/auditlog/", {"q": term})

        assert [it.correlation_id for it in answer.context["cl"].result_list] == [REQUEST]
