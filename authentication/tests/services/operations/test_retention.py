"""Retention: which rows are deleted, and when."""

import datetime as dt
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AuditAmendment,
    AuditLog,
    AuditSeal,
    BulkActionPerson,
    Consent,
    CountedUntil,
    ExaminedUntil,
    ExportPart,
    KnownDevice,
    OutgoingEmail,
    PasswordHistory,
    SecondFactor,
    StaffNote,
    StaffRole,
    TokenBlacklist,
    User,
    UserProfile,
)
from authentication.services.background import queue as background
from authentication.services.operations import retention, retention_of_audit
from authentication.services.operations.retention import RetentionService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user
from authentication.tests.sealing import seal_now

from .old_rows import DAY, ROWS, ago, session

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

SECOND = dt.timedelta(seconds=1)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_deleted_exactly_after_its_retention(person: User, name: str) -> None:
    rule, days, make = ROWS[name]
    old = make(person, days)

    RetentionService.clean(rule)
    young = make(person, days - 0.0001)
    RetentionService.clean(rule)

    assert not type(old)._default_manager.filter(pk=old.pk).exists()
    assert type(young)._default_manager.filter(pk=young.pk).exists()


def test_every_table_has_a_retention_or_a_reason_to_be_kept(person: User) -> None:
    cleaned = {type(make(person, days + 1)) for _, days, make in ROWS.values()}
    # Others have tests of their own below.
    cleaned |= {PasswordHistory, User, AuditSeal, AuditAmendment}

    # Why rows of the other tables stay.
    kept: dict[str, set[type[Model]]] = {
        "AccountExport's": {ExportPart},
        "BulkAction's": {BulkActionPerson},
        "the account's": {UserProfile, SecondFactor, StaffNote},
        "proof, for as long as the account exists": {Consent},
        "few, and part of the software": {Permission, Group, ContentType, StaffRole},
        "one row": {CountedUntil, ExaminedUntil},
    }
    assert set(apps.get_models()) == cleaned | set().union(*kept.values())


def test_an_expired_session_is_ended_and_kept(person: User) -> None:
    over, live = session(person, ended=False, expired=0), session(person, ended=False, expired=-1)

    RetentionService.clean("sessions")

    over.refresh_from_db()
    live.refresh_from_db()
    assert (over.is_active, over.end_reason, live.is_active) == (False, "expired", True)


@pytest.mark.parametrize("status", ["queued", "sending"])
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

    # A change of password deletes the superseded hashes itself. A smaller detail hides places.
    by_hand = {"passwords", "places"}
    assert sorted(scheduled) == sorted(set(RetentionService.names()) - by_hand)


def test_the_newest_failures_by_names_without_an_account_are_kept(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_of_audit, "_FAILURES_WITHOUT_ACCOUNT", 3)

    def log(event: str, minutes: int, user: User | None = None) -> AuditLog:
        at = NOON - dt.timedelta(minutes=minutes)
        return AuditLog.log_event(event, user=user, timestamp=at)

    gone = [log("login_failed", 9), log("account_locked", 8)]
    log("login_failed", 7, person)
    log("email_verification_failed", 7)
    seal_now()
    for minutes, event in enumerate(("login_failed", "account_locked", "login_failed")):
        log(event, minutes)

    done = RetentionService.clean("failures")

    assert done.count == 2
    assert AuditLog.objects.count() == 5
    assert not AuditLog.objects.filter(pk__in=[event.pk for event in gone]).exists()


def test_surplus_devices_of_an_account_go(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_DEVICES_PER_ACCOUNT", 2)
    for days in range(4):
        KnownDevice.objects.create(user=person, digest=str(days), last_used_at=ago(days))
    KnownDevice.objects.create(user=UserFactory(), digest="another's", last_used_at=ago(30))

    RetentionService.clean("sessions")

    left = KnownDevice.objects.values_list("digest", flat=True)
    assert set(left) == {"0", "1", "another's"}
