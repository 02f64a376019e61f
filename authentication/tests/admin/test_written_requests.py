"""What staff start for people who ask in writing, notes, and the command for all of it."""

import datetime as dt
from typing import Any

import pytest
from django.core.management import CommandError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import AccountExport, AuditLog, StaffNote, User
from authentication.services import ExportService
from authentication.services.accounts.personal_data import personal_data
from authentication.tests.clients import LOGIN, Tokens, use_access
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import Deliver, token_in
from authentication.tests.erasing import GRACE, all_stored_text, erase_due
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

from .roles import actions_on, page_of, staff_with
from .staff import ClientOf, assert_audited, messages_of

pytestmark = pytest.mark.django_db

WHY = "Her letter of 3 March."


def do(client: Client, user: User, action: str, **fields: str) -> Any:
    return client.post(f"{page_of(user)}{action}/", {"reason": WHY, **fields}, follow=True)


class TestExport:
    def test_the_person_is_mailed_and_staff_see_nothing(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        delivered: Deliver,
    ) -> None:
        answer = do(superuser_client, person, "start-export")
        ExportService.build(AccountExport.objects.get().pk)

        assert messages_of(answer) == ["The copy is being made."]
        assert_audited("export_requested", actor=superuser, target=person, reason=WHY)
        [mail] = delivered()
        assert mail.to == [person.email]
        form = {"token": token_in(mail), "password": PASSWORD}
        copy: Any = Client().post("/account/download-export/", form)
        assert person.email in b"".join(copy.streaming_content).decode()

    def test_a_new_copy_voids_the_link_of_the_one_before(
        self, superuser_client: Client, person: User, delivered: Deliver
    ) -> None:
        for _ in range(2):
            do(superuser_client, person, "start-export")
            ExportService.build(AccountExport.objects.get().pk)
            delivered()

        assert AccountExport.objects.count() == 1

    @pytest.mark.parametrize(
        "state", [{"is_active": False}, {"email_verified": False, "email_verified_at": None}]
    )
    def test_none_is_made_for_a_closed_account_or_an_unproven_address(
        self, superuser_client: Client, person: User, state: dict[str, Any]
    ) -> None:
        User.objects.filter(pk=person.pk).update(**state)

        answer = do(superuser_client, person, "start-export")

        assert not AccountExport.objects.exists()
        assert "The copy is being made." not in str(messages_of(answer))


class TestDeletion:
    def test_it_is_as_the_persons_own(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        delivered: Deliver,
    ) -> None:
        do(superuser_client, person, "delete")

        assert use_access(api, signed_in) == 401
        assert_audited("account_deletion_requested", actor=superuser, target=person, reason=WHY)
        [mail] = delivered()
        assert "Our support was asked to delete your account." in str(mail.body)
        restored = api.post(
            LOGIN, {"email": person.email, "password": PASSWORD, "restore": True}, format="json"
        )
        assert restored.status_code == 200
        assert erase_due() == 0

    def test_it_is_carried_out_after_the_grace(
        self, superuser_client: Client, person: User
    ) -> None:
        do(superuser_client, person, "note", note="Prefers letters to calls.")
        do(superuser_client, person, "delete")
        assert "deletion on" in superuser_client.get(page_of(person)).content.decode()
        assert "delete" not in actions_on(superuser_client.get(page_of(person)))

        User.objects.filter(pk=person.pk).update(
            deletion_requested_at=timezone.now() - GRACE - dt.timedelta(seconds=1)
        )

        assert erase_due() == 1
        assert "letters" not in all_stored_text()

    def test_a_second_request_changes_nothing(self, superuser_client: Client, person: User) -> None:
        do(superuser_client, person, "delete")
        before = User.objects.get(pk=person.pk).deletion_requested_at

        answer = do(superuser_client, person, "delete")

        assert "requested already" in messages_of(answer)[0]
        assert User.objects.get(pk=person.pk).deletion_requested_at == before

    def test_staff_are_deleted_by_superusers_and_nobody_by_themselves(
        self, client_of: ClientOf, superuser_client: Client, superuser: User
    ) -> None:
        administrator, helper = staff_with("administrator"), staff_with("helper")
        UserFactory(is_staff=True, is_superuser=True)

        for client, target in (
            (client_of(administrator), helper),
            (client_of(administrator), administrator),
            (superuser_client, superuser),
        ):
            do(client, target, "delete")
            assert User.objects.get(pk=target.pk).deletion_requested_at is None
        do(superuser_client, helper, "delete")
        assert User.objects.get(pk=helper.pk).deletion_requested_at


class TestNotes:
    def test_a_note_is_on_the_page_and_in_the_copy_and_its_text_in_no_event(
        self, superuser_client: Client, superuser: User, person: User
    ) -> None:
        do(superuser_client, person, "note", note="Prefers letters.\nHard of hearing.")

        page = superuser_client.get(page_of(person)).content.decode()
        assert "Prefers letters.\nHard of hearing." in page
        [note] = dict(personal_data(person))["notes"]
        assert note["text"] == "Prefers letters.\nHard of hearing."
        assert_audited("admin_action", actor=superuser, target=person, action="add_note")
        assert "letters" not in str(list(AuditLog.objects.values()))

    @pytest.mark.parametrize("text", ["", " \n ", "x" * 1001, "a\u202eb", "a\x00b"], ids=ascii)
    def test_a_text_that_is_none_is_refused(
        self, superuser_client: Client, person: User, text: str
    ) -> None:
        do(superuser_client, person, "note", note=text)

        assert not StaffNote.objects.exists()

    def test_it_stays_when_its_author_leaves(
        self, client_of: ClientOf, superuser_client: Client, person: User
    ) -> None:
        helper = staff_with("helper")
        do(client_of(helper), person, "note", note="Called twice.")

        User.objects.filter(pk=helper.pk).update(deletion_requested_at=timezone.now() - 2 * GRACE)
        assert erase_due() == 1

        page = superuser_client.get(page_of(person)).content.decode()
        assert "Called twice." in page
        assert "by a former member of staff" in page


class TestCommand:
    @pytest.mark.parametrize(
        ("action", "event"),
        [
            ("unlock", "account_unlocked"),
            ("send-reset", "admin_action"),
            ("end-sessions", "admin_action"),
            ("disable", "admin_action"),
            ("start-export", "export_requested"),
            ("delete", "account_deletion_requested"),
        ],
    )
    def test_it_does_what_the_button_does(self, person: User, action: str, event: str) -> None:
        written = run_command("account_action", action, person.email, reason=WHY, by="Naomi")

        row = AuditLog.objects.get(event_type=event, user=person)
        assert row.metadata["operator"] == "Naomi"
        assert (row.metadata["actor"], row.metadata["reason"]) == ("command line", WHY)
        assert written.startswith(f"{person.username}: ")

    def test_it_corrects_an_address_and_writes_a_note(self) -> None:
        newcomer = unverified_user()

        run_command(
            "account_action",
            "correct-address",
            newcomer.email,
            new_email="right@example.org",
            reason=WHY,
        )
        run_command("account_action", "note", "right@example.org", text="A typing error.")

        newcomer.refresh_from_db()
        assert newcomer.email == "right@example.org"
        assert StaffNote.objects.get().text == "A typing error."

    @pytest.mark.parametrize(
        ("action", "options", "error"),
        [
            ("disable", {}, "--reason"),
            ("correct-address", {"reason": WHY}, "--new-email"),
            ("correct-address", {"reason": WHY, "new_email": "x"}, "--new-email"),
            ("note", {}, "Please write a note"),
            ("send-verification", {}, "verified already"),
        ],
    )
    def test_what_it_cannot_do_it_says(
        self, person: User, action: str, options: dict[str, str], error: str
    ) -> None:
        with pytest.raises(CommandError, match=error):
            run_command("account_action", action, person.email, **options)
