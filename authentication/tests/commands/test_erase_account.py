"""manage.py erase_account and find_erasure."""

import re
from typing import Any

import pytest
from django.core.management import CommandError
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.services.accounts import operator_deletion
from authentication.tests.clients import NOON, log_in, post_as, sign_in, use_access
from authentication.tests.conftest import API, Deliver
from authentication.tests.erasing import erase_due, leave_traces, stored_canaries

from .running import run_command

WHY = {"reason": "A letter of 20 November"}
RECEIPT = re.compile(r"[0-9a-z]{4}(?:-[0-9a-z]{4}){3}")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


def erase(user: User, **options: Any) -> str:
    """Run the command; return the receipt."""
    written = run_command("erase_account", email=user.email, **WHY, **options)
    found = RECEIPT.search(written.partition("Receipt: ")[2])
    assert found
    return found[0]


class TestAfterTheGrace:
    def test_the_account_is_closed_and_its_owner_may_restore_it(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        tokens = sign_in(api, person)

        written = run_command("erase_account", id=str(person.pk), **WHY)

        assert "2026-12-06 12:00 UTC" in written
        assert use_access(api, tokens) == 401
        body = " ".join(str(delivered()[-1].body).split())
        assert "Our support was asked to delete your account" in body
        assert log_in(api, person).json()["code"] == "account_deletion_pending"
        assert log_in(api, person, restore=True).status_code == 200

    def test_the_event_names_who_and_why(self, person: User) -> None:
        erase(person, by="Naomi")

        event = AuditLog.objects.get(event_type="account_deletion_requested")
        assert event.user == person
        assert event.metadata == {"actor": "command line", "operator": "Naomi", **WHY}

    def test_a_second_request_is_refused(self, person: User) -> None:
        erase(person)

        with pytest.raises(CommandError, match="requested already"):
            erase(person)

    def test_the_receipt_finds_the_erasure_when_it_is_done(
        self, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        receipt = erase(person)
        assert receipt in str(delivered()[-1].body)
        assert run_command("find_erasure", receipt) == (
            "Not erased yet: due on 2026-12-06 12:00 UTC.\n"
        )
        time_machine.shift(15 * 86_400)
        assert erase_due() == 1

        typed = receipt.upper().replace("-", " ").replace("0", "O").replace("1", "L")
        assert run_command("find_erasure", typed) == "Erased on 2026-12-07 12:00 UTC.\n"


class TestNow:
    def test_nothing_of_the_person_is_left(self, api: APIClient, delivered: Deliver) -> None:
        user = leave_traces(api)
        delivered()

        receipt = run_command(
            "erase_account", email=user.email, now=True, reason="Naomi Canary wrote to us"
        )

        assert "Receipt:" in receipt
        assert not User.objects.filter(pk=user.pk).exists()
        assert stored_canaries() == []

    def test_the_owner_is_mailed_first_and_the_receipt_works(
        self, person: User, mailoutbox: Any
    ) -> None:
        receipt = erase(person, now=True)

        assert RECEIPT.fullmatch(receipt)
        (mail,) = mailoutbox
        assert mail.to == [person.email]
        assert receipt in str(mail.body)
        assert "This cannot be undone" in str(mail.body)
        assert "Erased on" in run_command("find_erasure", receipt)
        # With the subject it would lead to the person's other events.
        erased = AuditLog.objects.get(event_type="account_erased")
        assert erased.metadata.keys() == {"receipt", "account"}
        event = AuditLog.objects.get(event_type="admin_action", description="erase_account")
        assert event.user is None
        assert "reason" not in event.metadata
        assert str(person.pk) not in str(list(AuditLog.objects.values()))

    def test_without_a_mail_nothing_is_erased(
        self,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        def down(*_: Any, **__: Any) -> None:
            raise OSError("down")

        with monkeypatch.context() as broken:
            broken.setattr("django.core.mail.EmailMultiAlternatives.send", down)
            with pytest.raises(CommandError, match="nothing is erased"):
                erase(person, now=True)
        assert User.objects.get().deletion_requested_at == NOON
        # It says that all is erased, so it must not be sent later.
        time_machine.shift(60)
        assert delivered() == []

        erase(person, now=True, no_mail=True)

        assert not User.objects.exists()

    def test_the_receipt_that_was_mailed_first_stays_valid(
        self, person: User, delivered: Deliver
    ) -> None:
        first = erase(person)
        assert first in str(delivered()[-1].body)

        written = run_command("erase_account", email=person.email, now=True, **WHY)

        assert "The receipt of the earlier mail stays valid." in written
        assert "receipt number of our earlier mail" in str(delivered()[-1].body)
        assert "Erased on" in run_command("find_erasure", first)

    def test_the_receipt_stays_valid_if_the_erasure_has_to_be_repeated(
        self, person: User, mailoutbox: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as busy:
            busy.setattr(operator_deletion, "erase", lambda *_: False)
            with pytest.raises(CommandError, match="Another process"):
                erase(person, now=True)
        found = RECEIPT.search(str(mailoutbox[-1].body))
        assert found

        run_command("erase_account", email=person.email, now=True, no_mail=True, **WHY)

        assert "Erased on" in run_command("find_erasure", found[0])

    def test_no_mail_is_for_an_erasure_at_once(self, person: User) -> None:
        with pytest.raises(CommandError, match="--now"):
            erase(person, no_mail=True)

        assert User.objects.get().deletion_requested_at is None


class TestReceipts:
    def test_the_users_own_deletion_has_one_too(
        self, api: APIClient, person: User, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        assert post_as(api, sign_in(api, person), f"{API}/account/delete/").status_code == 200
        found = RECEIPT.search(str(delivered()[-1].body))
        assert found
        time_machine.shift(15 * 86_400)
        erase_due()

        assert "Erased on 2026-12-07" in run_command("find_erasure", found[0])

    @pytest.mark.parametrize("receipt", ["0000-0000-0000-0000", "", "x", "é" * 16])
    def test_an_unknown_receipt_is_refused(self, person: User, receipt: str) -> None:
        with pytest.raises(CommandError, match="No erasure has this receipt"):
            run_command("find_erasure", receipt)

    def test_a_cancelled_deletion_has_none(self, api: APIClient, person: User) -> None:
        receipt = erase(person)
        log_in(api, person, restore=True)

        with pytest.raises(CommandError, match="No erasure"):
            run_command("find_erasure", receipt)
        assert User.objects.get().deletion_receipt == ""


@pytest.mark.parametrize(
    "who",
    [
        {"email": "nobody@example.org"},
        {"username": "nobody"},
        # Bytes of a terminal that are no UTF-8 arrive so.
        {"email": "\udcff"},
        {"username": "\udcff"},
    ],
)
def test_an_unknown_account_is_refused(db: None, who: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="no such account"):
        run_command("erase_account", **who, **WHY)


def test_a_reason_is_required(person: User) -> None:
    with pytest.raises(CommandError, match="reason"):
        run_command("erase_account", email=person.email, reason=" ")

    assert User.objects.get().deletion_requested_at is None
