"""The AuditLog model and the constraints of its table."""

import pytest
from django.db import IntegrityError, transaction

from authentication.models import AuditLog, User
from authentication.tests.clients import NOON
from authentication.tests.sealing import tamper

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


def test_an_event_is_stored_with_all_its_facts(person: User) -> None:
    written = AuditLog.log_event("login", user=person, **FACTS)

    row = AuditLog.objects.values(*FACTS, "event_type", "user_id", "timestamp").get()
    assert row == {**FACTS, "event_type": "login", "user_id": person.pk, "timestamp": NOON}
    assert str(written) == "2026-11-22 12:00:00 login"


def test_an_event_needs_only_its_type() -> None:
    AuditLog.log_event("login_failed")

    row = AuditLog.objects.get()
    assert (row.user_id, row.ip_address, row.user_agent, row.metadata) == (None, None, "", {})
    assert (row.success, row.risk_level, row.description) == (True, "low", "")


def test_an_event_outlives_its_user(person: User) -> None:
    AuditLog.log_event("login", user=person)

    tamper(person)

    assert AuditLog.objects.get().user_id is None


def test_an_event_is_rolled_back_with_its_transaction() -> None:
    with transaction.atomic():
        AuditLog.log_event("login")
        transaction.set_rollback(rollback=True)

    assert not AuditLog.objects.exists()


def test_event_types_and_risks_have_unique_names() -> None:
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
def test_the_database_refuses_missing_values(column: str) -> None:
    AuditLog.log_event("login")

    with pytest.raises(IntegrityError), transaction.atomic():
        tamper(AuditLog.objects.all(), **{column: None})
