"""Made-up communities: `seed_demo --people`."""

import re

import pytest
from django.core.management import CommandError
from django.db import connection
from django.db.models import Model
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.management import demo_rows
from authentication.models import (
    AuditLog,
    Consent,
    OutgoingEmail,
    PasswordHistory,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.clients import log_in

from .running import run_command

pytestmark = pytest.mark.django_db

ROWS_EACH: dict[type[Model], int] = {
    User: 1,
    UserProfile: 1,
    PasswordHistory: 1,
    OutgoingEmail: 1,
    Consent: 2,
    UserSession: 3,
    AuditLog: 5,
    TokenBlacklist: 5,
}


def counts() -> dict[type[Model], int]:
    return {model: model._default_manager.count() for model in ROWS_EACH}


def indexes() -> set[tuple[str, str]]:
    """Return the indexes and constraints of all tables, as SQL without casts and brackets.

    PostgreSQL writes those of a list of texts in two ways.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " UNION SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
        )
        return {
            (name, re.sub(r"::[a-z ]+(\[\])?|[()]", "", definition))
            for name, definition in cursor.fetchall()
        }


def test_a_community_needs_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite")

    with pytest.raises(CommandError, match="--people needs PostgreSQL"):
        run_command("seed_demo", people=10)

    assert not User.objects.exists()


@pytest.mark.parametrize("people", [0, -1])
def test_a_community_has_people(people: int) -> None:
    with pytest.raises(CommandError, match="at least one"):
        run_command("seed_demo", people=people)


def test_production_refuses_a_community(settings: Settings) -> None:
    settings.ENVIRONMENT = "production"

    with pytest.raises(CommandError, match="Not in production"):
        run_command("seed_demo", people=10)

    assert not User.objects.exists()


@pytest.mark.services
class TestCommunity:
    def test_each_person_has_what_years_of_use_leave(self, api: APIClient) -> None:
        before = indexes()

        written = run_command("seed_demo", people=40)

        person = User.objects.filter(is_active=True, email_verified=True)[0]
        assert counts() == {model: 40 * each for model, each in ROWS_EACH.items()}
        assert indexes() == before
        assert log_in(api, person, written.split()[-1]).status_code == 200

    def test_rows_are_plausible(self) -> None:
        run_command("seed_demo", people=40)

        for user in User.objects.all():
            saved = (user.email_canonical, user.username_canonical, user.username_skeleton)
            user.full_clean(exclude=["password"])
            user.save()
            assert (user.email_canonical, user.username_canonical, user.username_skeleton) == saved
            assert user.email.endswith("@example.org")
        for model in (UserSession, AuditLog, TokenBlacklist, OutgoingEmail, Consent):
            for row in model._default_manager.all():
                row.full_clean()
        assert not UserSession.objects.filter(is_active=True, ended_at__isnull=False).exists()
        assert not OutgoingEmail.objects.waiting().exists()
        keys = TokenBlacklist.objects.order_by("blacklisted_at").values_list("pk", flat=True)
        assert list(keys) == sorted(keys)

    def test_two_communities_fit_into_one_database(self) -> None:
        for _ in range(2):
            run_command("seed_demo", people=5)

        assert User.objects.count() == 10

    def test_a_failure_leaves_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError

        before = indexes()
        monkeypatch.setattr(demo_rows, "TABLES", (*demo_rows.TABLES[:5], fail))

        with pytest.raises(RuntimeError):
            run_command("seed_demo", people=5)

        assert not User.objects.exists()
        assert indexes() == before
