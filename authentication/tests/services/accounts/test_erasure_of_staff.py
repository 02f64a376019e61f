"""Erasing accounts of staff: what they did stays in the log under a pseudonym."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    SecondFactorRemoval,
    User,
)
from authentication.tests.clients import (
    NOON,
)
from authentication.tests.conftest import CHROME
from authentication.tests.erasing import (
    ADDRESS,
    CANARIES,
    GRACE,
    all_cached_text,
    all_stored_text,
    erase_due,
)
from authentication.tests.factories import PASSWORD, UserFactory, give_factor

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestErasureOfStaff:
    @pytest.fixture
    def other(self, db: None) -> User:
        return UserFactory()

    @pytest.fixture
    def erased_staff(
        self, due: User, other: User, client: Client, time_machine: TimeMachineFixture
    ) -> User:
        """Erase a superuser who has signed in to the admin and acted on another account."""
        time_machine.shift(-GRACE.total_seconds())
        User.objects.filter(pk=due.pk).update(
            is_staff=True, is_superuser=True, deletion_requested_at=None
        )
        extra: Any = {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": f"{CHROME} Canary"}
        form = {"username": due.email, "password": PASSWORD, "next": "/admin/"}
        assert client.post("/admin/login/", form, **extra).status_code == 302
        give_factor(other)
        users = "/admin/authentication/user/"
        for action in ("unlock", "end-sessions", "remove-factor"):
            page = f"{users}{other.pk}/person/{action}/"
            given = {"reason": "The phone is lost."}
            assert client.post(page, given, **extra).status_code == 302
        question = client.post(users, {"_selected_action": str(other.pk), "action": "unlock"})
        assert client.post(f"{question['Location'][:-7]}start/", **extra).status_code == 302
        removals = "/admin/authentication/secondfactorremoval/"
        removal = {"_selected_action": [str(SecondFactorRemoval.objects.get().pk)]}
        assert client.post(removals, {**removal, "action": "cancel"}, **extra).status_code == 302
        client.post(f"{users}{other.pk}/change/", {"first_name": "Boaz", "_save": "Save"}, **extra)
        assert LogEntry.objects.filter(user=due).exists()
        assert str(due.pk) in str([it.get_decoded() for it in Session.objects.all()])
        User.objects.request_deletion(due.pk, at=NOON)
        time_machine.shift(GRACE.total_seconds())
        assert erase_due() == 1
        return due

    def test_nothing_stored_or_cached_points_at_the_member_of_staff(
        self, erased_staff: User
    ) -> None:
        kept = all_stored_text() + all_cached_text()
        traces = (*CANARIES, str(erased_staff.pk), erased_staff.pk.hex)
        assert [trace for trace in traces if trace in kept] == []

    def test_the_other_account_keeps_its_events_with_the_pseudonym_as_actor(
        self, erased_staff: User, other: User
    ) -> None:
        subject = AuditLog.objects.get(event_type="account_erased").metadata["subject"]
        events = AuditLog.objects.filter(user=other, metadata__has_key="actor")
        assert {event.metadata["actor"] for event in events} == {subject}
        assert {event.metadata.get("action") for event in events} >= {"end_sessions", "change"}
        assert {event.event_type for event in events} >= {
            "account_unlocked",
            "second_factor_removal_requested",
            "second_factor_removal_cancelled",
        }

    def test_sessions_of_other_staff_are_kept_and_broken_rows_are_passed_over(
        self, due: User
    ) -> None:
        client = Client()
        client.force_login(UserFactory(is_staff=True))
        later = NOON + dt.timedelta(days=30)
        Session.objects.update(expire_date=later)
        for number, data in enumerate(("", "x", ".eJx:1:y", "W10:1:y", "\u00fc:1:y")):
            Session.objects.create(
                session_key=f"broken{number}", session_data=data, expire_date=later
            )

        assert erase_due() == 1

        assert Session.objects.count() == 6
        assert client.get("/admin/").status_code == 200

    def test_sessions_under_a_former_key_are_found(self, due: User, settings: Settings) -> None:
        User.objects.filter(pk=due.pk).update(is_staff=True)
        Client().force_login(User.objects.get(pk=due.pk))
        settings.SECRET_KEY = "another key"

        erase_due()

        assert not Session.objects.exists()
