"""The tables of the admin, and a row for each."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

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
    UserSession,
)
from authentication.tests.factories import UserFactory

CANARY = "Canary"
SECRETS: tuple[tuple[type[Model], str], ...] = (
    (User, "password"),
    (UserSession, "session_key"),
    (UserSession, "last_client_digest"),
    (PasswordHistory, "password_hash"),
    (PasswordResetToken, "token"),
    (PasswordResetToken, "binding"),
    (EmailVerificationToken, "token"),
    (AccountExport, "content"),
    (ActionToken, "token"),
    (Invitation, "token"),
    (TokenBlacklist, "token"),
)
TABLES = sorted(admin.site._registry, key=lambda table: table.__name__)
OWN_TABLES = [table for table in TABLES if table is not Group]


def make_row(table: type[Model]) -> Model:
    """Store a row; its secrets begin with CANARY."""
    if table is Group:
        return Group.objects.create(name=f"group {uuid.uuid4()}")
    if table is FailedTask:
        return FailedTask.objects.create(
            task="authentication.tasks.clean", arguments=["audit"], error="OSError"
        )
    user = UserFactory()
    if table is BulkAction:
        return BulkAction.objects.create(action="unlock", actor=user)
    User.objects.filter(pk=user.pk).update(password=f"{CANARY}{uuid.uuid4().hex}")
    user.refresh_from_db()
    secret, later = f"{CANARY}{uuid.uuid4().hex}", timezone.now() + dt.timedelta(days=1)
    fields: dict[type[Model], dict[str, Any]] = {
        AccountExport: {"content": secret},
        ActionToken: {"action": "disown_session", "token": secret, "expires_at": later},
        AuditLog: {"event_type": "login", "ip_address": "8.8.4.4", "metadata": {"session": "x"}},
        Consent: {"document": "terms", "version": "1"},
        EmailChange: {"old_email": user.email, "new_email": "naomi@example.org"},
        EmailVerificationToken: {"email": user.email, "token": secret},
        Invitation: {"email": user.email, "token": secret, "expires_at": later},
        OutgoingEmail: {"kind": "password_reset", "status": "dead"},
        PasswordHistory: {"password_hash": secret},
        PasswordResetToken: {"token": secret, "binding": f"{CANARY}{uuid.uuid4().hex}"},
        SecondFactorRemoval: {"factor_since": timezone.now(), "reason": "The phone is lost."},
        SensitiveChange: {"kind": "notices", "made_at": timezone.now()},
        TokenBlacklist: {"jti": uuid.uuid4().hex, "token": secret, "expires_at": later},
        UserSession: {
            "session_key": secret,
            "last_client_digest": secret,
            "expires_at": later,
            "device_name": "Ruth's phone",
        },
    }
    if table in fields:
        return table._default_manager.create(user=user, **fields[table])
    return user if table is User else table._default_manager.get(user=user)


def page_url(table: type[Model], page: str = "changelist", *args: object) -> str:
    """Return the path of a table's page."""
    return reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_{page}", args=args)


def result_count(answer: Any) -> int:
    """Return the number of rows that a list shows."""
    assert answer.status_code == 200, answer.content
    return len(answer.context["cl"].result_list)
