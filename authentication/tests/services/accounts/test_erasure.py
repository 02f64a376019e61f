"""Erasing accounts: nothing stored points at the person afterwards."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.mail import send_mail
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, FailedTask, SecondFactorRemoval, SensitiveChange, User
from authentication.services import DeletionService
from authentication.services.accounts import erasure
from authentication.services.operations.retention import RetentionService
from authentication.tests.clients import LOGIN, NOON, WRONG_PASSWORD, Tokens, sign_in, use_access
from authentication.tests.conftest import API, CHROME, bearer
from authentication.tests.factories import PASSWORD, UserFactory, give_factor
from authentication.utils.crypto import pseudonym

GRACE = dt.timedelta(days=14)
ADDRESS = "203.0.113.77"
CANARIES = ("naomi", "Naomi", "Canary", ADDRESS)
"""Words that only the erased account has left behind."""

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def all_stored_text() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- the database's own names
            found += [str(row) for row in cursor.fetchall()]
    # Django signs and packs its sessions.
    found += [str(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(found)


def all_cached_text() -> str:
    stores = [getattr(caches[name], "_cache", {}) for name in ("default", "limits")]
    return "".join(repr(item) for store in stores for item in store.items())


def stored_canaries() -> list[str]:
    stored = all_stored_text()
    return [canary for canary in CANARIES if canary in stored]


def leave_traces(api: APIClient) -> User:
    """Register an account and use every feature that stores something about its owner."""
    client: Any = {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": f"{CHROME} Canary"}
    address = {"email": "naomi@example.org"}
    account = {**address, "username": "naomi", "password": PASSWORD, "first_name": "Naomi"}
    api.post(LOGIN, {**address, "password": WRONG_PASSWORD}, **client)
    api.post(
        f"{API}/register/", {**account, "display_name": "Naomi", "terms_accepted": True}, **client
    )
    user: User = User.objects.get(username="naomi")
    User.objects.verify_email(user.pk, at=NOON)
    credentials = {**address, "password": PASSWORD, "device_name": "Naomi"}
    tokens: Tokens = api.post(LOGIN, credentials, **client).json()
    api.cookies.clear()
    owner = bearer(tokens["access"])
    api.post(f"{API}/account/email/", {"email": "naomi@example.net"}, headers=owner, **client)
    api.post(f"{API}/account/export/", headers=owner, **client)
    api.post(f"{API}/token/refresh/", {"refresh": tokens["refresh"]}, **client)
    LogEntry.objects.create(
        user=UserFactory(), object_id=str(user.pk), object_repr="naomi", action_flag=2
    )
    FailedTask.objects.create(
        task="authentication.tasks.check_breach", arguments=[str(user.pk)], error="OSError"
    )
    return user


@pytest.fixture
def due(api: APIClient, time_machine: TimeMachineFixture) -> User:
    """Return a user with a grace period that ended a second ago."""
    user = leave_traces(api)
    User.objects.request_deletion(user.pk, at=NOON)
    assert stored_canaries() == [*CANARIES]
    time_machine.shift(GRACE.total_seconds() + 1)
    return user


class TestErasure:
    def test_nothing_stored_or_cached_points_at_the_person(self, due: User) -> None:
        DeletionService.erase_due()

        kept = all_stored_text() + all_cached_text()
        assert not [trace for trace in (*CANARIES, str(due.pk), due.pk.hex) if trace in kept]

    def test_the_audit_log_keeps_its_events_under_a_pseudonym(self, due: User) -> None:
        before = AuditLog.objects.count()

        DeletionService.erase_due()

        subject = AuditLog.objects.get(event_type="account_erased").metadata["subject"]
        events = AuditLog.objects.filter(metadata__subject=subject)
        assert AuditLog.objects.count() == before + 1
        assert events.filter(event_type="login").count() == 1
        assert events.filter(event_type="login_failed").count() == 1
        assert not User.objects.filter(pk=due.pk).exists()

    def test_failures_under_a_former_username_are_anonymized_too(
        self, api: APIClient, due: User
    ) -> None:
        name = pseudonym("identifier", "ruth.former")
        failure = AuditLog.log_event("login_failed", metadata={"name": name})
        SensitiveChange.objects.create(
            user=due, kind="username", made_at=NOON, details={"from": "Ruth.Former"}
        )

        DeletionService.erase_due()

        failure.refresh_from_db()
        assert "name" not in failure.metadata
        assert not SensitiveChange.objects.exists()

    def test_an_account_is_kept_until_its_grace_period_ends(
        self, due: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(-2)

        assert DeletionService.erase_due() == 0
        assert User.objects.filter(pk=due.pk).exists()

    @pytest.mark.parametrize("step", ["_anonymize_actor", "_delete_related", "record"])
    def test_an_erasure_that_was_killed_is_finished_by_the_next_one(
        self, due: User, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as fault:
            fault.setattr(erasure, step, killed)
            with pytest.raises(KeyboardInterrupt):
                DeletionService.erase_due()
        assert User.objects.filter(pk=due.pk).exists()

        assert DeletionService.erase_due() == 1
        assert stored_canaries() == []
        pseudonyms = AuditLog.objects.filter(metadata__has_key="subject")
        assert len({event.metadata["subject"] for event in pseudonyms}) == 1

    def test_a_second_erasure_finds_nothing_to_do(self, due: User) -> None:
        assert (DeletionService.erase_due(), DeletionService.erase_due()) == (1, 0)
        assert AuditLog.objects.filter(event_type="account_erased").count() == 1

    def test_a_new_account_with_the_same_address_inherits_nothing(
        self, api: APIClient, due: User
    ) -> None:
        DeletionService.erase_due()

        api.post(
            f"{API}/register/",
            {"email": "naomi@example.org", "username": "mara", "password": PASSWORD},
        )

        again = User.objects.get(username="mara")
        assert again.pk != due.pk
        assert (again.first_name, again.terms_version, again.email_verified) == ("", "", False)
        assert AuditLog.objects.filter(user=again).count() == 1

    def test_other_accounts_keep_their_sessions_and_events(self, api: APIClient, due: User) -> None:
        other = UserFactory()
        tokens = sign_in(api, other)

        DeletionService.erase_due()

        assert use_access(api, tokens) == 200
        assert AuditLog.objects.get(user=other, event_type="login").ip_address == "127.0.0.1"

    def test_mails_stored_as_files_are_deleted(
        self, due: User, settings: Settings, tmp_path: Any
    ) -> None:
        settings.EMAIL_FILE_PATH = tmp_path
        settings.EMAIL_BACKEND = "authentication.services.mail.file_backend.FileMailbox"
        for to in ("Naomi@example.org", "naomi@example.net", "ruth@example.org"):
            send_mail("a", "b", None, [to])

        DeletionService.erase_due()

        (kept,) = tmp_path.iterdir()
        assert "ruth@example.org" in kept.read_text()


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
        selected = {"_selected_action": [str(other.pk)], "reason": "The phone is lost."}
        for action in ("unlock", "end_sessions", "remove_second_factor"):
            assert client.post(users, {**selected, "action": action}, **extra).status_code == 302
        removals = "/admin/authentication/secondfactorremoval/"
        removal = {"_selected_action": [str(SecondFactorRemoval.objects.get().pk)]}
        assert client.post(removals, {**removal, "action": "cancel"}, **extra).status_code == 302
        client.post(f"{users}{other.pk}/change/", {"first_name": "Boaz", "_save": "Save"}, **extra)
        assert LogEntry.objects.filter(user=due).exists()
        assert str(due.pk) in str([it.get_decoded() for it in Session.objects.all()])
        User.objects.request_deletion(due.pk, at=NOON)
        time_machine.shift(GRACE.total_seconds())
        assert DeletionService.erase_due() == 1
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

        assert DeletionService.erase_due() == 1

        assert Session.objects.count() == 6
        assert client.get("/admin/").status_code == 200

    def test_sessions_under_a_former_key_are_found(self, due: User, settings: Settings) -> None:
        User.objects.filter(pk=due.pk).update(is_staff=True)
        Client().force_login(User.objects.get(pk=due.pk))
        settings.SECRET_KEY = "another key"

        DeletionService.erase_due()

        assert not Session.objects.exists()


def test_an_account_that_was_never_verified_leaves_no_trace(
    api: APIClient, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    settings.UNVERIFIED_ACCOUNT_RETENTION = dt.timedelta(days=30)
    api.post(
        f"{API}/register/",
        {"email": "naomi@example.org", "password": PASSWORD},
        REMOTE_ADDR=ADDRESS,
    )
    assert {"naomi", ADDRESS} <= set(stored_canaries())
    time_machine.shift(31 * 86_400)

    RetentionService.clean("accounts")

    assert stored_canaries() == []
