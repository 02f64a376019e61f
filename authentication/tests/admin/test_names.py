"""Correcting a name in the admin."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from authentication.models import AuditLog, User
from authentication.services.administration import AdministrationService as Service

from .staff import ClientOf, save_name

pytestmark = pytest.mark.django_db


class TestNameCorrection:
    @pytest.mark.parametrize("actor_name", ["account_editor", "superuser"])
    def test_a_corrected_name_is_stored_and_audited(
        self, request: pytest.FixtureRequest, client_of: ClientOf, person: User, actor_name: str
    ) -> None:
        actor = request.getfixturevalue(actor_name)

        answer = save_name(client_of(actor), person, first_name="Naomi")

        person.refresh_from_db()
        row = AuditLog.objects.get()
        assert answer.status_code == 302
        assert (person.first_name, person.last_name) == ("Naomi", "Moab")
        assert (row.event_type, row.user, row.metadata["actor"]) == (
            "admin_action",
            person,
            str(actor.pk),
        )
        assert row.metadata["fields"] == ["first_name"]
        assert "Naomi" not in str(row.metadata)

    @pytest.mark.parametrize("actor_name", ["account_editor", "superuser"])
    def test_changes_during_the_correction_are_kept(
        self,
        request: pytest.FixtureRequest,
        client_of: ClientOf,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
        *,
        actor_name: str,
    ) -> None:
        until = timezone.now() + dt.timedelta(minutes=30)
        happened = {
            "locked_until": until,
            "failed_login_attempts": 5,
            "password": "changed by another request",
            "password_changed_at": until,
            "is_active": False,
            "email": "new@example.org",
            "last_name": "Bethlehem",
        }
        client, change = client_of(request.getfixturevalue(actor_name)), Service.change_names

        def change_late(*args: Any, **kwargs: Any) -> None:
            User.objects.filter(pk=person.pk).update(**happened)
            change(*args, **kwargs)

        monkeypatch.setattr(Service, "change_names", change_late)

        save_name(client, person, first_name="Naomi")

        stored = User.objects.filter(pk=person.pk).values(*happened, "first_name").get()
        assert stored == {**happened, "first_name": "Naomi"}

    def test_a_right_that_ended_meanwhile_is_seen_when_the_name_is_written(
        self,
        client_of: ClientOf,
        account_editor: User,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        client, change = client_of(account_editor), Service.change_names

        def change_late(*args: Any, **kwargs: Any) -> None:
            account_editor.user_permissions.clear()
            change(*args, **kwargs)

        monkeypatch.setattr(Service, "change_names", change_late)

        answer = save_name(client, person, first_name="Naomi")

        assert answer.status_code == 403
        assert User.objects.get(pk=person.pk).first_name == "Ruth"
        assert not AuditLog.objects.exists()

    def test_saving_an_unchanged_form_writes_nothing(
        self, client_of: ClientOf, account_editor: User, person: User
    ) -> None:
        before = User.objects.filter(pk=person.pk).values().get()

        save_name(client_of(account_editor), person)

        assert User.objects.filter(pk=person.pk).values().get() == before

    @pytest.mark.parametrize("name", ["x" * 151, "a\x00b"], ids=ascii)
    def test_a_name_that_does_not_fit_its_column_is_refused(
        self, client_of: ClientOf, account_editor: User, person: User, name: str
    ) -> None:
        answer = save_name(client_of(account_editor), person, first_name=name)

        person.refresh_from_db()
        assert answer.status_code == 200
        assert person.first_name == "Ruth"
