"""Retention: which rows are deleted, and when."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db.models import Model
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    EmailChange,
    EmailVerificationToken,
    FailedTask,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    SecondFactorRemoval,
    SensitiveChange,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services.background import queue as background
from authentication.services.operations import retention
from authentication.services.operations.retention import RetentionService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


def ago(days: float) -> dt.datetime:
    return timezone.now() - days * DAY


def session(person: User, *, ended: bool, expired: float) -> UserSession:
    end = {"is_active": False, "ended_at": ago(expired)} if ended else {}
    return UserSession.objects.create(
        user=person, created_at=ago(400), expires_at=ago(expired), **end
    )


# The rule, the retention in days, and a function that makes a row of a given age.
Maker = Callable[[User, float], Model]
ROWS: dict[str, tuple[str, float, Maker]] = {
    "old sessions": (
        "sessions",
        90,
        lambda person, days: session(person, ended=True, expired=days),
    ),
    "sessions of the admin": (
        "sessions",
        0,
        lambda _, days: Session.objects.create(session_key=f"x{days}", expire_date=ago(days)),
    ),
    "removals of second factors": (
        "tokens",
        30,
        lambda person, days: SecondFactorRemoval.objects.create(
            user=person,
            factor_since=ago(days),
            reason="x",
            requested_at=ago(days + 1),
            ended_at=ago(days),
            outcome="stopped",
        ),
    ),
    "verification tokens": (
        "tokens",
        30,
        lambda person, days: EmailVerificationToken.objects.create(
            user=person,
            email=person.email,
            token="x",
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "reset tokens": (
        "tokens",
        30,
        lambda person, days: PasswordResetToken.objects.create(
            user=person, token="x", created_at=ago(days)
        ),
    ),
    "exports": (
        "tokens",
        2,
        lambda person, days: AccountExport.objects.create(user=person, requested_at=ago(days)),
    ),
    "action tokens": (
        "tokens",
        30,
        lambda person, days: ActionToken.objects.create(
            user=person,
            action="disown_session",
            token="x",
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "sign-ins that stopped at the second factor": (
        "tokens",
        0,
        lambda person, days: SignInChallenge.objects.create(
            user=person,
            token=f"x{days}",
            by_password=True,
            password_changed_at=person.password_changed_at,
            created_at=ago(days + 1),
            expires_at=ago(days),
        ),
    ),
    "changes of address": (
        "tokens",
        30,
        lambda person, days: EmailChange.objects.create(
            user=person,
            old_email="a@example.org",
            new_email="b@example.org",
            requested_at=ago(days),
        ),
    ),
    "sensitive changes": (
        "tokens",
        30,
        lambda person, days: SensitiveChange.objects.create(
            user=person, kind="notices", made_at=ago(days)
        ),
    ),
    "revoked tokens": (
        "blacklist",
        0,
        lambda person, days: TokenBlacklist.objects.create(
            jti="x", user=person, expires_at=ago(days)
        ),
    ),
    "events": (
        "audit",
        365,
        lambda person, days: AuditLog.objects.create(
            user=person, event_type="login", timestamp=ago(days)
        ),
    ),
    "sent mails": (
        "mails",
        90,
        lambda person, days: OutgoingEmail.objects.create(
            user=person, kind="verification", status="sent", sent_at=ago(days), created_at=ago(days)
        ),
    ),
    "failed tasks": (
        "mails",
        30,
        lambda _, days: FailedTask.objects.create(task="x", error="OSError", failed_at=ago(days)),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_deleted_exactly_after_its_retention(person: User, name: str) -> None:
    rule, days, make = ROWS[name]
    old = make(person, days)

    RetentionService.clean(rule)
    young = make(person, days - 0.0001)
    RetentionService.clean(rule)

    assert not type(old)._default_manager.filter(pk=old.pk).exists()
    assert type(young)._default_manager.filter(pk=young.pk).exists()


def test_an_expired_session_is_ended_and_kept(person: User) -> None:
    over, live = session(person, ended=False, expired=0), session(person, ended=False, expired=-1)

    RetentionService.clean("sessions")

    over.refresh_from_db()
    live.refresh_from_db()
    assert (over.is_active, over.end_reason, live.is_active) == (False, "expired", True)


@pytest.mark.parametrize("status", ["queued", "sending", "dead"])
def test_an_unsent_mail_is_kept(person: User, status: str) -> None:
    OutgoingEmail.objects.create(
        user=person, kind="verification", status=status, created_at=ago(1000)
    )

    RetentionService.clean("mails")

    assert OutgoingEmail.objects.exists()


def test_former_passwords_beyond_the_limit_are_deleted(person: User, settings: Settings) -> None:
    settings.PASSWORD_HISTORY_LIMIT = 2
    other = UserFactory()
    for owner in (person, other):
        for days in range(4):
            PasswordHistory.objects.create(
                user=owner, password_hash=f"{owner.pk}{days}", created_at=ago(days)
            )

    RetentionService.clean("passwords")

    kept = PasswordHistory.objects.values_list("user_id", "password_hash")
    assert set(kept) == {
        (owner.pk, f"{owner.pk}{days}") for owner in (person, other) for days in (0, 1)
    }


class TestUnverifiedAccounts:
    @pytest.fixture
    def newcomer(self) -> User:
        return unverified_user(created_at=ago(31))

    def test_unverified_accounts_are_deleted_after_thirty_days_with_their_usernames(
        self, api: APIClient, newcomer: User
    ) -> None:
        younger = unverified_user(created_at=ago(29))

        RetentionService.clean("accounts")

        assert list(User.objects.all()) == [younger]
        again = {"email": "x@example.org", "password": PASSWORD, "username": newcomer.username}
        assert api.post(f"{API}/register/", again).status_code == 201

    def test_a_setting_of_zero_keeps_unverified_accounts(
        self, newcomer: User, settings: Settings
    ) -> None:
        settings.UNVERIFIED_ACCOUNT_RETENTION = 0 * DAY

        RetentionService.clean("accounts")

        assert User.objects.filter(pk=newcomer.pk).exists()

    @pytest.mark.parametrize(
        "changed",
        [
            {"email_verified": True, "email_verified_at": NOON},
            {"last_login": NOON},
            {"is_staff": True},
            {"created_at": NOON - 29 * DAY},
        ],
    )
    def test_other_accounts_are_kept(
        self, newcomer: User, settings: Settings, changed: dict[str, Any]
    ) -> None:
        settings.UNVERIFIED_ACCOUNT_RETENTION = 30 * DAY
        User.objects.filter(pk=newcomer.pk).update(**changed)

        RetentionService.clean("accounts")

        assert User.objects.filter(pk=newcomer.pk).exists()


class TestBatches:
    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
        monkeypatch.setattr(retention, "BATCH", 3)
        TokenBlacklist.objects.bulk_create(
            TokenBlacklist(jti=str(n), expires_at=NOON - SECOND) for n in range(8)
        )

    def test_rows_are_deleted_in_batches(self) -> None:
        batches: list[int] = []

        done = RetentionService.clean("blacklist", on_batch=batches.append)

        assert (done.count, done.finished, batches) == (8, True, [3, 3, 2])
        assert not TokenBlacklist.objects.exists()

    def test_the_rest_is_left_to_the_next_task(
        self, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
    ) -> None:
        handed_on: list[Any] = []
        monkeypatch.setattr(background, "_publish_or_run", lambda *call: handed_on.append(call[:2]))
        monkeypatch.setattr(
            background, "_pool", type("Now", (), {"submit": staticmethod(lambda f, *a: f(*a))})
        )

        with django_capture_on_commit_callbacks(execute=True):
            RetentionService.clean_a_while("blacklist", seconds=-1)

        assert TokenBlacklist.objects.count() == 5
        assert handed_on == [("authentication.tasks.clean", ("blacklist",))]


def test_every_rule_is_scheduled(settings: Settings) -> None:
    scheduled = [
        entry["args"][0] for entry in settings.CELERY_BEAT_SCHEDULE.values() if "args" in entry
    ]

    assert scheduled == RetentionService.names()
