"""Rows that are inserted in one statement are those that the ORM would insert."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from authentication.models import (
    AuditLog,
    KnownDevice,
    OutgoingEmail,
    User,
    UserSession,
    insert_together,
)

NOW = timezone.now().replace(microsecond=123456)
LATER = NOW + dt.timedelta(days=1)
OWN = {"id", "_state", "session_key", "refresh_token_jti"}


def new_rows(person: User) -> list[Model]:
    odd = 'it\'s 100 % "odd" {1} \\ ሴ'
    return [
        UserSession(
            user=person,
            device_name=odd,
            ip_address="2001:db8::7",
            last_client_digest="c" * 64,
            failed_login_attempts=3,
            created_at=NOW,
            last_activity_at=NOW,
            last_rotation_at=NOW,
            expires_at=LATER,
        ),
        AuditLog(
            event_type="login",
            user_id=person.pk,
            metadata={"odd": odd},
            user_agent=odd,
            timestamp=NOW,
        ),
        KnownDevice(user=person, digest="d" * 64, created_at=NOW, last_used_at=NOW),
        OutgoingEmail(
            kind="new_device",
            user_id=None,
            context={"odd": [odd, None, 1]},
            correlation_id="a-cause",
            created_at=NOW,
            next_attempt_at=NOW,
        ),
    ]


def stored(row: Model) -> dict[str, Any]:
    same = {"pk": row.pk} if row.pk else {"digest": vars(row)["digest"]}
    found = type(row)._default_manager.get(**same)
    return {name: value for name, value in vars(found).items() if name not in OWN}


@pytest.mark.django_db
def test_the_rows_are_those_of_the_orm(person: User) -> None:
    together, alone = new_rows(person), new_rows(person)
    vars(alone[2])["digest"] = "e" * 64

    insert_together(*together)
    for row in alone:
        row.save(force_insert=True)

    expected = [stored(row) for row in alone]
    expected[2]["digest"] = "d" * 64
    assert [stored(row) for row in together] == expected
    assert not any(row._state.adding for row in together)


@pytest.mark.django_db
def test_it_is_one_statement_on_postgresql(person: User, django_assert_num_queries: Any) -> None:
    statements = 1 if connection.vendor == "postgresql" else 4
    with django_assert_num_queries(statements):
        insert_together(*new_rows(person))


@pytest.mark.django_db
def test_all_rows_are_stored_or_none(person: User) -> None:
    first, *rest = new_rows(person)
    twin = KnownDevice(user=person, digest="d" * 64)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_together(first, *rest, twin)

    assert not UserSession.objects.exists()
    assert not AuditLog.objects.filter(event_type="login").exists()


@pytest.mark.django_db
def test_one_row_is_enough(person: User) -> None:
    session = UserSession(pk=uuid.uuid4(), user=person, expires_at=LATER)
    insert_together(session)

    assert UserSession.objects.get().pk == session.pk
