"""The AuditLog model's own method and its table's constraints."""

import pytest
from django.db import IntegrityError, transaction

from authentication.models import AuditLog, User
from authentication.tests.clients import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

FACTS = {
    "description": "From a new device.",
    "ip_address": "198.51.100.7",
    "user_agent": "curl/8",
    "success": False,
    "risk_level": "high",
    "metadata": {"session": "a", "deep": [{"b": None}]},
    "correlation_id": "abc",
}


def test_an_event_is_written_with_all_that_is_known(person: User) -> None:
    written = AuditLog.log_event("login", user=person, **FACTS)

    row = AuditLog.objects.values(*FACTS, "event_type", "user_id", "timestamp").get()
    assert row == {**FACTS, "event_type": "login", "user_id": person.pk, "timestamp": NOON}
    assert str(written) == "2026-11-22 12:00:00 login"


def test_an_event_needs_nothing_but_its_name() -> None:
    AuditLog.log_event("login_failed")

    row = AuditLog.objects.get()
    assert (row.user_id, row.ip_address, row.user_agent, row.metadata) == (None, None, "", {})
    assert (row.success, row.risk_level, row.description) == (True, "low", "")


def test_an_event_outlives_its_person(person: User) -> None:
    AuditLog.log_event("login", user=person)

    person.delete()

    assert AuditLog.objects.get().user_id is None


def test_an_event_is_undone_with_what_it_tells_of() -> None:
    with transaction.atomic():
        AuditLog.log_event("login")
        transaction.set_rollback(rollback=True)

    assert not AuditLog.objects.exists()


def test_the_events_of_this_service_have_names_of_their_own() -> None:
    names = [event.value for event in AuditLog.Event]

    assert len(set(names)) == len(names)
    assert {
        "login",
        "logout",
        "registration",
        "token_refresh",
        "session_terminated",
        "token_reuse_detected",
    } <= set(names)
    assert [risk.value for risk in AuditLog.Risk] == ["low", "medium", "high", "critical"]


@pytest.mark.parametrize("column", ["event_type", "timestamp", "success", "risk_level", "metadata"])
def test_the_database_refuses_a_row_that_makes_no_sense(column: str) -> None:
    AuditLog.log_event("login")

    with pytest.raises(IntegrityError), transaction.atomic():
        AuditLog.objects.update(**{column: None})
