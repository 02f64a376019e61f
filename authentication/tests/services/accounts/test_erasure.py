"""Erasing accounts: nothing stored points at the person afterwards."""

import datetime as dt
from typing import Any

import pytest
from django.core.mail import send_mail
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    EmailChange,
    Invitation,
    PasswordResetToken,
    SensitiveChange,
    User,
)
from authentication.services.accounts import erasure
from authentication.services.operations.retention import RetentionService
from authentication.tests.clients import (
    LOGIN,
    NOON,
    WRONG_PASSWORD,
    another_password,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, CHROME
from authentication.tests.erasing import (
    ADDRESS,
    CANARIES,
    all_cached_text,
    all_stored_text,
    erase_due,
    stored_canaries,
)
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.invitations import invite
from authentication.utils.crypto import pseudonym

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestErasure:
    def test_nothing_stored_or_cached_points_at_the_person(self, due: User) -> None:
        erase_due()

        kept = all_stored_text() + all_cached_text()
        assert not [trace for trace in (*CANARIES, str(due.pk), due.pk.hex) if trace in kept]

    def test_the_audit_log_keeps_its_events_under_a_pseudonym(self, due: User) -> None:
        before = AuditLog.objects.count()

        erase_due()

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

        erase_due()

        failure.refresh_from_db()
        assert "name" not in failure.metadata
        assert not SensitiveChange.objects.exists()

    def test_an_address_that_was_never_confirmed_is_another_persons(self, due: User) -> None:
        name = pseudonym("identifier", "nobody@example.org")
        AuditLog.log_event("login_failed", metadata={"name": name})
        invitation = invite("nobody@example.org")
        now = timezone.now()
        EmailChange.objects.create(
            user=due,
            old_email=due.email,
            old_email_canonical=due.email_canonical,
            new_email="nobody@example.org",
            new_email_canonical="nobody@example.org",
            requested_at=now,
        )

        erase_due()

        assert AuditLog.objects.filter(metadata__name=name).exists()
        assert Invitation.objects.filter(pk=invitation.pk).exists()

    @pytest.mark.parametrize("state", ["used", "void", "expired"])
    def test_an_attempt_with_ones_own_old_link_is_anonymized_too(
        self, api: APIClient, due: User, state: str
    ) -> None:
        token = PasswordResetToken.objects.issue(due, at=NOON)
        if state == "used":
            PasswordResetToken.objects.spend(token, at=NOON)
        elif state == "void":
            PasswordResetToken.objects.void(due.pk)

        body = {"token": token, "new_password": another_password()}
        api.post(f"{API}/password/reset/confirm/", body, REMOTE_ADDR="203.0.113.99")

        assert AuditLog.objects.get(ip_address="203.0.113.99").user_id == due.pk
        erase_due()
        assert not AuditLog.objects.filter(ip_address="203.0.113.99").exists()

    def test_a_name_that_is_registered_again_has_no_failures(
        self, api: APIClient, due: User, settings: Settings
    ) -> None:
        for _ in range(settings.ACCOUNT_LOCKOUT_THRESHOLD - 1):
            api.post(LOGIN, {"email": due.email, "password": WRONG_PASSWORD})

        erase_due()

        UserFactory(email=due.email)
        api.post(LOGIN, {"email": due.email, "password": WRONG_PASSWORD})
        assert api.post(LOGIN, {"email": due.email, "password": PASSWORD}).status_code == 200

    def test_events_that_come_while_it_runs_are_anonymized_too(
        self, due: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def log(*_: Any, **__: Any) -> None:
            AuditLog.log_event("login_failed", user=due, ip_address=ADDRESS, user_agent=CHROME)

        monkeypatch.setattr(erasure, "forget_names", log)
        erase_due()

        assert ADDRESS not in all_stored_text()
        assert not AuditLog.objects.exclude(user_agent="").exists()

    def test_an_account_is_kept_until_its_grace_period_ends(
        self, due: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(-2)

        assert erase_due() == 0
        assert User.objects.filter(pk=due.pk).exists()

    @pytest.mark.parametrize("step", ["_anonymize_actor", "_delete_related", "record"])
    def test_an_erasure_that_was_killed_is_finished_ten_minutes_later(
        self,
        due: User,
        time_machine: TimeMachineFixture,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ) -> None:
        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as fault:
            fault.setattr(erasure, step, killed)
            with pytest.raises(KeyboardInterrupt):
                erase_due()
        assert User.objects.filter(pk=due.pk).exists()

        assert erase_due() == 0
        time_machine.shift(600)
        assert erase_due() == 1
        assert stored_canaries() == []
        pseudonyms = AuditLog.objects.filter(metadata__has_key="subject")
        assert len({event.metadata["subject"] for event in pseudonyms}) == 1

    def test_a_second_erasure_finds_nothing_to_do(self, due: User) -> None:
        assert (erase_due(), erase_due()) == (1, 0)
        assert AuditLog.objects.filter(event_type="account_erased").count() == 1

    def test_a_new_account_with_the_same_address_inherits_nothing(
        self, api: APIClient, due: User
    ) -> None:
        erase_due()

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

        erase_due()

        assert use_access(api, tokens) == 200
        assert AuditLog.objects.get(user=other, event_type="login").ip_address == "127.0.0.1"

    def test_mails_stored_as_files_are_deleted(
        self, due: User, settings: Settings, tmp_path: Any
    ) -> None:
        settings.EMAIL_FILE_PATH = tmp_path
        settings.EMAIL_BACKEND = "authentication.services.mail.file_backend.FileMailbox"
        for to in ("Naomi@example.org", "naomi@example.net", "ruth@example.org"):
            send_mail("a", "b", None, [to])

        erase_due()

        (kept,) = tmp_path.iterdir()
        assert "ruth@example.org" in kept.read_text()


def test_names_from_before_a_rotation_of_the_key_are_found(due: User, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-this-test-alone"

    erase_due()

    assert stored_canaries() == []


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
