"""Commands that answer a question of a person: export_personal_data and explain_lock."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.services import DataCopyService
from authentication.tests.clients import LOGIN, NOON, WRONG_PASSWORD, log_in
from authentication.tests.factories import UserFactory

from .running import run_command

WHY = {"reason": "She has lost her phone and her mailbox"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


class TestExportPersonalData:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "ruth.json"

    def export(self, user: User, path: Path, **options: Any) -> Any:
        run_command("export_personal_data", email=user.email, output=str(path), **WHY, **options)
        return json.loads(path.read_text(encoding="utf-8"))

    def test_the_file_holds_what_the_person_would_get_and_no_other(
        self, api: APIClient, person: User, path: Path
    ) -> None:
        log_in(api, person)
        log_in(api, other := UserFactory())

        copy = self.export(person, path)

        assert copy["account"]["email"] == person.email
        assert len(copy["sessions"]) == 1
        assert {"profile", "events", "mails", "consents"} <= set(copy)
        assert other.email not in path.read_text(encoding="utf-8")
        assert person.password not in path.read_text(encoding="utf-8")

    def test_only_its_owner_may_read_the_file(self, person: User, path: Path) -> None:
        self.export(person, path)

        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [it.name for it in path.parent.iterdir()] == [path.name]

    def test_the_event_names_who_and_why_and_is_in_the_copy(self, person: User, path: Path) -> None:
        copy = self.export(person, path, by="Naomi")

        event = AuditLog.objects.get(event_type="export_downloaded", user=person)
        assert event.metadata == {"actor": "command line", "operator": "Naomi", **WHY}
        assert copy["events"][0]["metadata"] == event.metadata

    def test_an_existing_file_is_not_overwritten(self, person: User, path: Path) -> None:
        path.write_text("before", encoding="utf-8")

        with pytest.raises(CommandError, match="exists already"):
            run_command("export_personal_data", email=person.email, output=str(path), **WHY)

        assert path.read_text(encoding="utf-8") == "before"

    def test_a_copy_that_breaks_off_leaves_no_file(
        self, person: User, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def break_off(user: User, write: Any, **_: Any) -> None:
            write("{")
            raise OSError("disk full")

        monkeypatch.setattr(DataCopyService, "write", break_off)

        with pytest.raises(OSError, match="disk full"):
            self.export(person, path)

        assert list(path.parent.iterdir()) == []

    def test_a_path_that_cannot_be_written_is_reported(self, person: User, path: Path) -> None:
        with pytest.raises(CommandError, match="cannot be written"):
            self.export(person, path / "nowhere" / "ruth.json")

    @pytest.mark.parametrize("reason", ["", " ", "x" * 201])
    def test_a_reason_is_required(self, person: User, path: Path, reason: str) -> None:
        with pytest.raises(CommandError, match="reason"):
            run_command("export_personal_data", email=person.email, output=str(path), reason=reason)

        assert not path.exists()


class TestExplainLock:
    def fail(self, api: APIClient, name: str, times: int = 5) -> None:
        for _ in range(times):
            api.post(LOGIN, {"email": name, "password": WRONG_PASSWORD}, REMOTE_ADDR="8.8.4.4")

    def test_the_failures_and_the_end_of_the_lock_are_told(
        self, api: APIClient, person: User
    ) -> None:
        self.fail(api, person.email)

        written = run_command("explain_lock", person.username)

        assert "Locked: the account, by wrong passwords, until 2026-11-22 12:30:00 UTC." in written
        assert f"Locked: the name {person.email_canonical}, on unknown devices" in written
        told = [it for it in written.splitlines() if "login_failed" in it]
        assert len(told) == 5
        assert all("8.8.4.4" in it and "credentials" in it for it in told)
        assert "account_locked" in written
        assert "unlock_account, for an account, everywhere" in written

    def test_failures_of_others_are_not_told(self, api: APIClient, person: User) -> None:
        self.fail(api, UserFactory().email)

        written = run_command("explain_lock", person.email)

        assert "Nothing is locked now." in written
        assert "login_failed" not in written

    def test_a_name_without_an_account_is_explained_too(self, api: APIClient, db: None) -> None:
        self.fail(api, "nobody@example.org")

        written = run_command("explain_lock", "Nobody@Example.org")

        assert "Locked: the name nobody@example.org" in written
        assert written.count("login_failed") == 5

    def test_of_an_ipv6_address_the_network_is_told(self, api: APIClient, person: User) -> None:
        body = {"email": person.email, "password": WRONG_PASSWORD}
        api.post(LOGIN, body, REMOTE_ADDR="2001:4860:4860:1::8844")

        written = run_command("explain_lock", person.email)

        assert "2001:4860:4860:1::/64" in written
        assert "8844" not in written

    def test_a_lock_by_hand_is_told_as_one(self, person: User) -> None:
        person.lock_account()

        assert "the account, by staff or another program" in run_command(
            "explain_lock", person.email
        )

    def test_after_an_unlock_nothing_is_locked(self, api: APIClient, person: User) -> None:
        self.fail(api, person.email)
        run_command("unlock_account", person.email)

        written = run_command("explain_lock", person.email)
        assert "Nothing is locked now." in written
        assert "unlock_account" not in written

    def test_the_event_names_who_asked(self, person: User) -> None:
        run_command("explain_lock", person.email, by="Naomi")

        event = AuditLog.objects.get(event_type="admin_action", user=person)
        assert (event.description, event.metadata["operator"]) == ("explain_lock", "Naomi")

    def test_a_name_that_cannot_exist_is_refused(self, db: None) -> None:
        with pytest.raises(CommandError, match="no address"):
            run_command("explain_lock", "\udcff")
