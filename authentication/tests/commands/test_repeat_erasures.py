"""manage.py export_audit_log --erasures and repeat_erasures: deletions after a restore."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, FailedTask, User
from authentication.services.accounts import erasure
from authentication.tests.clients import NOON, log_in, post_as, sign_in
from authentication.tests.conftest import API, Deliver
from authentication.tests.erasing import erase_due
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

from .running import run_command

WHY = {"reason": "Restore of Monday's backup"}
NOTHING = (
    "0 account(s) erased again, 0 deletion(s) requested again, 0 cancelled again,"
    " 0 proof(s) stored again.\n"
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]
Restore = Callable[[], None]


@pytest.fixture
def restore(person: User) -> Restore:
    """Return what brings the accounts and the audit log of now back, as a restored backup does."""
    accounts, events = list(User.objects.values()), list(AuditLog.objects.values())

    def bring_back() -> None:
        tamper(User.objects.all())
        tamper(AuditLog.objects.all())
        User.objects.bulk_create(User(**row) for row in accounts)
        AuditLog.objects.bulk_create(AuditLog(**row) for row in events)

    return bring_back


@pytest.fixture(params=["csv", "jsonl"])
def export(
    request: pytest.FixtureRequest, tmp_path: Path, time_machine: TimeMachineFixture
) -> Callable[[], str]:
    def write() -> str:
        # An export ends before its own moment.
        time_machine.shift(1)
        path = str(tmp_path / f"erasures.{request.param}")
        run_command("export_audit_log", path, erasures=True, format=request.param)
        return path

    return write


def erase_at_once(user: User) -> str:
    written = run_command("erase_account", email=user.email, now=True, **WHY)
    return written.partition("Receipt: ")[2].strip()


def test_an_erased_account_is_erased_again_without_a_mail_and_its_receipt_works(
    person: User, restore: Restore, export: Callable[[], str], mailoutbox: list[Any]
) -> None:
    other = UserFactory()
    receipt = erase_at_once(person)
    file, mails = export(), len(mailoutbox)
    restore()
    User.objects.bulk_create([other])

    written = run_command("repeat_erasures", file, by="Naomi", **WHY)

    assert written.startswith("1 account(s) erased again, 0 deletion(s)")
    assert list(User.objects.all()) == [other]
    assert "Erased on" in run_command("find_erasure", receipt)
    assert len(mailoutbox) == mails
    event = AuditLog.objects.get(description="repeat_erasures")
    assert (event.metadata["operator"], event.metadata["erased"]) == ("Naomi", 1)
    assert run_command("repeat_erasures", file, **WHY) == NOTHING


def test_the_export_names_nobody_who_was_erased(person: User, export: Callable[[], str]) -> None:
    erase_at_once(person)

    text = Path(export()).read_text(encoding="utf-8")

    assert str(person.pk) not in text
    assert person.email not in text


def test_an_erasure_after_the_grace_is_repeated_too(
    api: APIClient,
    person: User,
    restore: Restore,
    export: Callable[[], str],
    time_machine: TimeMachineFixture,
) -> None:
    post_as(api, sign_in(api, person), f"{API}/account/delete/")
    time_machine.shift(15 * 86_400)
    erase_due()
    file = export()
    restore()

    run_command("repeat_erasures", file, **WHY)

    assert not User.objects.exists()


def test_a_deletion_that_is_not_due_is_requested_again_with_the_grace_and_a_mail(
    api: APIClient,
    person: User,
    restore: Restore,
    export: Callable[[], str],
    delivered: Deliver,
    time_machine: TimeMachineFixture,
) -> None:
    post_as(api, sign_in(api, person), f"{API}/account/delete/")
    file = export()
    restore()
    time_machine.shift(86_400)

    written = run_command("repeat_erasures", file, **WHY)

    assert "1 deletion(s) requested again" in written
    requested_at = User.objects.get().deletion_requested_at
    assert requested_at
    assert (requested_at - NOON).days == 1
    assert delivered()[-1].subject == "Your account will be deleted"
    assert run_command("repeat_erasures", file, **WHY) == NOTHING


def test_a_deletion_that_was_cancelled_is_not_requested_again(
    api: APIClient,
    person: User,
    restore: Restore,
    export: Callable[[], str],
    time_machine: TimeMachineFixture,
) -> None:
    run_command("erase_account", email=person.email, **WHY)
    time_machine.shift(60)
    log_in(api, person, restore=True)
    file = export()
    restore()

    assert run_command("repeat_erasures", file, **WHY) == NOTHING

    assert User.objects.get().deletion_requested_at is None


class TestADeletionInTheBackup:
    @pytest.fixture
    def person(self, person: User) -> User:
        run_command("erase_account", email=person.email, **WHY)
        return person

    def test_it_is_cancelled_if_it_was_cancelled_later(
        self,
        api: APIClient,
        person: User,
        restore: Restore,
        export: Callable[[], str],
        time_machine: TimeMachineFixture,
    ) -> None:
        time_machine.shift(60)
        assert log_in(api, person, restore=True).status_code == 200
        file = export()
        restore()

        assert "1 cancelled again" in run_command("repeat_erasures", file, **WHY)

        assert User.objects.get().deletion_requested_at is None
        time_machine.shift(15 * 86_400)
        assert erase_due() == 0

    def test_it_stays_if_it_was_not_cancelled(
        self, person: User, restore: Restore, export: Callable[[], str]
    ) -> None:
        file = export()
        restore()

        assert run_command("repeat_erasures", file, **WHY) == NOTHING

        assert User.objects.get().deletion_requested_at == NOON


def test_the_proof_for_an_account_that_the_backup_does_not_know_is_stored_again(
    person: User, restore: Restore, export: Callable[[], str], time_machine: TimeMachineFixture
) -> None:
    receipt = erase_at_once(UserFactory())
    file = export()
    restore()
    time_machine.shift(86_400)

    assert "1 proof(s) stored again" in run_command("repeat_erasures", file, **WHY)

    assert run_command("find_erasure", receipt) == "Erased on 2026-11-22 12:00 UTC.\n"
    assert User.objects.get() == person
    assert run_command("repeat_erasures", file, **WHY) == NOTHING


def test_an_erasure_of_an_earlier_release_proves_nothing_while_the_account_may_be_back(
    person: User, restore: Restore, export: Callable[[], str]
) -> None:
    receipt = erase_at_once(person)
    erased = AuditLog.objects.get(event_type="account_erased")
    erased.metadata.pop("account")
    erased.save()
    file = export()
    restore()

    assert run_command("repeat_erasures", file, **WHY) == NOTHING

    with pytest.raises(CommandError, match="No erasure"):
        run_command("find_erasure", receipt)


def test_an_account_that_cannot_be_erased_is_told(
    person: User,
    restore: Restore,
    export: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    time_machine: TimeMachineFixture,
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("down")

    erase_at_once(person)
    file = export()
    restore()
    with monkeypatch.context() as fault:
        fault.setattr(erasure, "_delete", fail)
        with pytest.raises(CommandError, match="1 account\\(s\\) could not be erased"):
            run_command("repeat_erasures", file, **WHY)
    assert FailedTask.objects.exists()

    time_machine.shift(3600)

    assert "1 account(s) erased again" in run_command("repeat_erasures", file, **WHY)


@pytest.mark.parametrize(
    "content",
    ["", "x", "timestamp,event_type\n", "{}", json.dumps({"timestamp": "x"}), "a,metadata\n1,x\n"],
)
def test_another_file_is_refused(person: User, tmp_path: Path, content: str) -> None:
    path = tmp_path / "other"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(CommandError, match="Nothing is changed"):
        run_command("repeat_erasures", str(path), **WHY)

    assert User.objects.get().deletion_requested_at is None


def test_a_missing_file_is_reported(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run_command("repeat_erasures", str(tmp_path / "missing"), **WHY)
