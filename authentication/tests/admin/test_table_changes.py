"""Rows that not even a superuser can change."""

import re

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import Client

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    BulkAction,
    Consent,
    EmailChange,
    EmailVerificationToken,
    FailedTask,
    Invitation,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    SecondFactorRemoval,
    SensitiveChange,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)
from authentication.tests.answers import unexpected

from .staff import run_action
from .tables import OWN_TABLES, TABLES, make_row, page_url

pytestmark = pytest.mark.django_db


class TestChanges:
    def test_a_superuser_cannot_delete_a_row(self, superuser_client: Client) -> None:
        def outcome(table: type[Model]) -> tuple[int, int, bool, bool]:
            row = make_row(table)
            before = table._default_manager.count()
            path = page_url(table, "delete", row.pk)
            page, deletion = (
                superuser_client.get(path),
                superuser_client.post(path, {"post": "yes"}),
            )
            run_action(superuser_client, "delete_selected", row, at=page_url(table))
            offered = superuser_client.get(page_url(table)).content.decode()
            return (
                page.status_code,
                deletion.status_code,
                table._default_manager.count() == before,
                "delete_selected" in offered,
            )

        assert unexpected(OWN_TABLES, outcome, (403, 403, True, False)) == {}

    def test_a_superuser_cannot_add_a_row(self, superuser_client: Client) -> None:
        form = {"email": "x@example.org", "event_type": "login"}

        def outcome(table: type[Model]) -> tuple[int, int, bool]:
            before, path = table._default_manager.count(), page_url(table, "add")
            page, addition = superuser_client.get(path), superuser_client.post(path, form)
            kept = table._default_manager.count() == before
            return page.status_code, addition.status_code, kept

        # Adding a row revokes a token or invites a person.
        tables = [table for table in OWN_TABLES if table not in {TokenBlacklist, Invitation}]
        assert unexpected(tables, outcome, (403, 403, True)) == {}

    def test_a_superuser_can_change_no_row_but_an_account(self, superuser_client: Client) -> None:
        form = {"event_type": "logout", "is_active": "on", "_save": "Save"}

        def outcome(table: type[Model]) -> tuple[int, bool]:
            row = table._default_manager.filter(pk=make_row(table).pk)
            before = row.values().get()
            answer = superuser_client.post(page_url(table, "change", row.get().pk), form)
            return answer.status_code, row.values().get() == before

        tables = [table for table in OWN_TABLES if table is not User]
        assert unexpected(tables, outcome, (403, True)) == {}

    def test_the_audit_log_is_read_only(self, superuser_client: Client) -> None:
        row = make_row(AuditLog)

        page = superuser_client.get(page_url(AuditLog, "change", row.pk)).content.decode()

        assert not re.search(r'name="_save|name="action"|deletelink|<textarea|<select', page)
        for method in ("put", "patch", "delete"):
            getattr(superuser_client, method)(page_url(AuditLog, "change", row.pk))
        assert AuditLog.objects.filter(pk=row.pk, event_type="login").exists()

    def test_the_admin_lists_these_models(self) -> None:
        here: set[type[Model]] = {
            AccountExport,
            ActionToken,
            AuditLog,
            BulkAction,
            Consent,
            EmailChange,
            EmailVerificationToken,
            FailedTask,
            Group,
            Invitation,
            OutgoingEmail,
            PasswordHistory,
            PasswordResetToken,
            SecondFactorRemoval,
            SensitiveChange,
            TokenBlacklist,
            User,
            UserProfile,
            UserSession,
        }

        assert set(TABLES) == here
