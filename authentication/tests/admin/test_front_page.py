"""The front page of the admin: what waits for a person, and how the service does."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authentication.models import (
    AuditLog,
    CountedUntil,
    FailedTask,
    HourlyCount,
    OutgoingEmail,
    SecondFactorRemoval,
    User,
    UserProfile,
)
from authentication.services.admin_pages import count_events
from authentication.services.admin_pages.counting import COUNTRIES, DEVICES, hour_of
from authentication.tests.conftest import queries
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.sealing import tamper

from .staff import ClientOf, MakeStaff
from .tables import OWN_TABLES

pytestmark = pytest.mark.django_db

MOST_QUERIES = 14


def make_work() -> None:
    """Store one of each that waits for a person."""
    now = timezone.now()
    person = UserFactory()
    for _ in range(3):
        OutgoingEmail.objects.create(user=person, kind="verification", status="dead")
    AuditLog.log_event("session_disowned", user=person)
    AuditLog.log_event("session_disowned", user=person)
    SecondFactorRemoval.objects.create(user=person, factor_since=now, reason="The phone is lost.")
    FailedTask.objects.create(task="authentication.tasks.clean", error="OSError")
    until = now + dt.timedelta(minutes=20)
    User.objects.filter(pk=UserFactory().pk).update(locked_until=until, lock_reason="guessed")


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class TestWork:
    def test_what_waits_comes_first_and_leads_to_its_list(self, superuser_client: Client) -> None:
        make_work()

        page = superuser_client.get("/admin/")

        tasks = page.context["tasks"]
        assert [it.text for it in tasks] == [
            "3 mails could not be delivered.",
            "1 account reported a stranger this week.",
            "1 removal of two-step sign-in: a second person has to confirm it.",
            "1 task failed and can be run again.",
        ]
        shown = [superuser_client.get(it.url).context["cl"].result_count for it in tasks]
        assert shown == [3, 2, 1, 1]
        assert "1 account locked after wrong passwords." in text_of(page)

    def test_what_is_done_waits_no_longer(self, superuser_client: Client) -> None:
        make_work()
        now = timezone.now()
        OutgoingEmail.objects.update(status="sent", sent_at=now)
        tamper(AuditLog.objects.all(), timestamp=now - dt.timedelta(days=8))
        SecondFactorRemoval.objects.update(ended_at=now, outcome="cancelled")
        FailedTask.objects.update(sent_again_at=now)
        User.objects.update(locked_until=None)

        page = superuser_client.get("/admin/")

        assert "Nothing waits." in text_of(page)

    def test_staff_see_only_what_they_may_see(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
    ) -> None:
        make_work()
        counted = {f"{DEVICES}mobile": 2, f"{COUNTRIES}DE": 2}
        HourlyCount.objects.add(hour_of(timezone.now()), counted)

        page = client_of(make_staff("view_outgoingemail")).get("/admin/")
        whole = superuser_client.get("/admin/").context

        assert whole["charts"]
        assert [[it.label for it in whole[name]] for name in ("devices", "countries")] == [
            ["Phones"],
            ["Germany"],
        ]
        assert [it.text for it in page.context["tasks"]] == ["3 mails could not be delivered."]
        assert [it.label for it in page.context["facts"]] == ["Mails waiting"]
        names = ("charts", "devices", "countries")
        assert [page.context[name] for name in names] == [[], [], []]
        assert "locked" not in text_of(page)


class TestLooks:
    def test_counted_and_new_events_make_one_number(self, superuser_client: Client) -> None:
        now = timezone.now()
        for minutes in (0, 1, 90, 60 * 20, 60 * 24 * 3):
            AuditLog.log_event("login", timestamp=now - dt.timedelta(minutes=minutes))
        AuditLog.log_event("login_failed")
        count_events(seconds=60)

        hours, days, *_ = superuser_client.get("/admin/").context["charts"]

        assert [it.total for it in hours.series] == ["4", "1"]
        assert [it.total for it in days.series] == ["5", "1"]
        assert (len(hours.columns), len(days.columns)) == (24, 30)

    def test_numbers_are_a_table_too(self, superuser_client: Client) -> None:
        AuditLog.log_event("account_locked")

        page = superuser_client.get("/admin/").content.decode()

        assert page.count("<svg viewBox") == page.count('role="img" aria-label="')
        assert 'aria-label="Lockouts: 1, Reused tokens: 0; most at' in page
        assert page.count("<tr>") >= 24 + 3 * 30
        assert "style=" not in page

    def test_new_accounts_and_the_share_of_verified_ones(self, superuser_client: Client) -> None:
        unverified_user()
        old = timezone.now() - dt.timedelta(days=31)
        User.objects.filter(pk=UserFactory().pk).update(created_at=old)

        facts = {it.label: it for it in superuser_client.get("/admin/").context["facts"]}

        assert (facts["New accounts"].value, facts["New accounts"].more) == (
            "2",
            "in 30 days, 50 % verified",
        )

    def test_days_begin_in_the_time_zone_of_the_reader(
        self, superuser_client: Client, superuser: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = dt.datetime(2026, 11, 29, 23, 30, tzinfo=dt.UTC)
        monkeypatch.setattr(timezone, "now", lambda: now)
        UserProfile.objects.update_or_create(
            user=superuser, defaults={"timezone": "Pacific/Auckland"}
        )

        hours, days, *_ = superuser_client.get("/admin/").context["charts"]

        assert (hours.columns[-1], days.columns[-1]) == ("12:00", "30 Nov")

    def test_a_gap_is_told(self, superuser_client: Client) -> None:
        CountedUntil.objects.begin(timezone.now() - dt.timedelta(hours=5))

        assert "Charts have a gap since" in text_of(superuser_client.get("/admin/"))

    def test_the_page_needs_few_queries(
        self, client_of: ClientOf, make_staff: MakeStaff, superuser_client: Client
    ) -> None:
        make_work()
        count_events(seconds=60)
        viewer = client_of(make_staff(*(f"view_{it._meta.model_name}" for it in OWN_TABLES)))
        for client in (superuser_client, viewer):
            with CaptureQueriesContext(connection) as captured:
                client.get("/admin/")
            assert len(queries(captured)) <= MOST_QUERIES, captured.captured_queries
