"""Inviting the people of a file: what each row leads to, and doing exactly that."""

import datetime as dt
import re
import time
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.exceptions import PermissionRefused
from authentication.models import AuditLog, Invitation, OutgoingEmail, User
from authentication.services.acted_by import ActedBy
from authentication.services.invitation_imports import InvitationImportService
from authentication.tests.conftest import Deliver
from authentication.tests.erasing import all_stored_text
from authentication.tests.factories import UserFactory
from authentication.tests.invitations import INVITED, invite
from authentication.tests.limits import set_limits

from .roles import BELOW_OWNER, staff_with
from .staff import ClientOf, messages_of

pytestmark = pytest.mark.django_db

PAGE = "/admin/authentication/invitation/import/"
PEOPLE = "email,first_name,last_name\nnaomi@example.org,Naomi,Moab\norpah@example.org,,\n"


def upload(client: Client, text: str | bytes) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return client.post(PAGE, {"file": SimpleUploadedFile("people.csv", data)})


def confirm(client: Client, shown: Any) -> Any:
    return client.post(PAGE, {"sealed": shown.context["plan"].sealed}, follow=True)


def fates(shown: Any) -> list[tuple[int, str, str]]:
    """Return line, address and error of each row."""
    rows = shown.context["plan"].rows
    return [(it.line, it.person.email if it.person else it.text, it.error) for it in rows]


def error_of(shown: Any) -> str:
    return " ".join(shown.context["form"].errors.get("file", []))


class TestShowing:
    def test_nothing_is_done_or_stored(self, superuser_client: Client) -> None:
        before = all_stored_text()

        shown = upload(superuser_client, PEOPLE)

        assert fates(shown) == [(2, INVITED, ""), (3, "orpah@example.org", "")]
        assert "2 of 2 people would be invited" in shown.content.decode()
        assert all_stored_text() == before
        assert not Invitation.objects.exists()
        assert INVITED not in shown.context["plan"].sealed

    def test_each_row_says_what_is_wrong(self, superuser_client: Client) -> None:
        rows = (
            "email,first_name",
            "nobody",
            "ruth@example.org,Ruth,Moab",
            f"ruth@example.org,{'x' * 151}",
            "ruth@example.org,\u200b",
            '"naomi@example.org","Na\nomi"',
            "",
            "Naomi@Example.org,N",
            ",Ruth",
        )

        shown = upload(superuser_client, "\n".join(rows))

        told = [(line, error) for line, _, error in fates(shown)]
        assert [line for line, _ in told] == [2, 3, 4, 5, 7, 9, 10]
        for (_, error), words in zip(
            told,
            (
                "The row has 1 cells, the first line 2.",
                "The row has 3 cells",
                "at most 150 characters",
                "letters that can be seen",
                "",
                "The same address as in line 7.",
                "valid email",
            ),
            strict=True,
        ):
            assert words in error
        assert "1 of 7 people would be invited" in shown.content.decode()

    def test_of_a_long_cell_the_beginning_is_shown(self, superuser_client: Client) -> None:
        shown = upload(superuser_client, f"email,name\n{'x' * 500},Ruth\n{'y' * 500}\n")

        assert [text for _, text, _ in fates(shown)] == ["x" * 100, "y" * 100]

    @pytest.mark.parametrize(
        "text",
        [
            PEOPLE.replace(",", ";"),
            PEOPLE.replace(",", "\t"),
            PEOPLE.replace("\n", "\r\n").encode("utf-8-sig"),
            "sep=;\n" + PEOPLE.replace(",", ";"),
            PEOPLE.replace("email", "E-Mail").replace("first_name", "Vorname"),
            PEOPLE.replace("last_name\n", "last_name,phone\n")
            .replace("Moab\n", "Moab,1\n")
            .replace("org,,\n", "org,,,2\n"),
        ],
    )
    def test_files_as_spreadsheets_write_them(
        self, superuser_client: Client, text: str | bytes
    ) -> None:
        shown = upload(superuser_client, text)

        assert [(address, error) for _, address, error in fates(shown)] == [
            (INVITED, ""),
            ("orpah@example.org", ""),
        ]
        assert shown.context["plan"].rows[0].person.first_name == "Naomi"

    @pytest.mark.parametrize(
        ("data", "told"),
        [
            (b"", "empty"),
            (b"email\n", "no rows"),
            (b"name\nRuth\n", "one of them must be"),
            (b"email,mail\na@example.org,b@example.org\n", "names a column twice"),
            ("email\nna\u00efmi@example.org\n".encode("latin-1"), "not UTF-8"),
            ("email\nnaomi@example.org\n".encode("utf-16"), "not UTF-8"),
            (b"email\x00\nnaomi@example.org\n", "not UTF-8"),
            (b'email\n"naomi@example.org\n', "a quotation mark may be missing"),
            (b"email\n" + b"x" * 40 * 1024, "too large"),
            (b"email\n" + b"a@b.example\n" * 501, "too many rows"),
        ],
    )
    def test_a_file_that_cannot_be_read(
        self, superuser_client: Client, data: bytes, told: str
    ) -> None:
        shown = upload(superuser_client, data)

        assert shown.status_code == 200
        assert told in error_of(shown)

    def test_no_file_and_a_body_that_is_too_large(self, superuser_client: Client) -> None:
        assert superuser_client.post(PAGE, {}).status_code == 200
        assert upload(superuser_client, b"x" * 70_000).status_code == 400


class TestConfirming:
    def test_it_acts_on_what_was_shown(self, client_of: ClientOf, delivered: Deliver) -> None:
        staff = staff_with("administrator")
        client = client_of(staff)

        done = confirm(client, upload(client, PEOPLE + "nobody,,\n"))

        assert messages_of(done) == ["2 people are invited. The mails go out within minutes."]
        assert {(*it.to, it.subject) for it in delivered()} == {
            (INVITED, "You are invited"),
            ("orpah@example.org", "You are invited"),
        }
        assert set(Invitation.objects.values_list("invited_by", flat=True)) == {staff.pk}
        facts = AuditLog.objects.get(description="import_invitations").metadata
        assert (facts["actor"], facts["count"]) == (str(staff.pk), 2)
        assert INVITED not in str(facts)

    def test_the_largest_file(self, superuser_client: Client) -> None:
        rows = [f"{uuid.uuid4().hex}@example.org,Naomi{n},{n}-Moab" for n in range(500)]
        text = "\n".join(["email,first_name,last_name", *rows])

        started = time.monotonic()
        done = confirm(superuser_client, upload(superuser_client, text))

        assert time.monotonic() - started < 10
        assert messages_of(done)[0].startswith("500 people are invited.")
        assert Invitation.objects.count() == OutgoingEmail.objects.count() == 500

    def test_twice_is_once(self, superuser_client: Client, delivered: Deliver) -> None:
        shown = upload(superuser_client, PEOPLE)

        for _ in range(2):
            confirm(superuser_client, shown)

        assert Invitation.objects.count() == OutgoingEmail.objects.count() == 2
        assert len(delivered()) == 2

    def test_what_was_revoked_since_stays_revoked(self, superuser_client: Client) -> None:
        shown = upload(superuser_client, PEOPLE)
        confirm(superuser_client, shown)
        Invitation.objects.update(voided_at=timezone.now())

        confirm(superuser_client, shown)

        assert not Invitation.objects.open().exists()

    def test_older_invitations_to_the_people_are_void(self, superuser_client: Client) -> None:
        older = invite()

        confirm(superuser_client, upload(superuser_client, PEOPLE))

        older.refresh_from_db()
        assert older.voided_at

    @pytest.mark.security
    def test_the_page_of_another_person_altered_or_old_does_nothing(
        self,
        superuser_client: Client,
        superuser: User,
        client_of: ClientOf,
        time_machine: TimeMachineFixture,
    ) -> None:
        shown, other = upload(superuser_client, PEOPLE), client_of(staff_with("administrator"))
        sealed = shown.context["plan"].sealed

        answers = [confirm(other, shown)]
        answers += [
            superuser_client.post(PAGE, {"sealed": it}) for it in ("x", f"{sealed[:-4]}AAAA")
        ]
        time_machine.move_to(timezone.now().replace(microsecond=0) + dt.timedelta(minutes=31))
        answers.append(confirm(client_of(superuser), shown))

        assert ["too old, or is not yours" in it.content.decode() for it in answers] == [True] * 4
        assert not Invitation.objects.exists()

    @pytest.mark.security
    def test_a_right_that_is_lost_between_the_steps(
        self, client_of: ClientOf, superuser_client: Client
    ) -> None:
        staff = staff_with("administrator")
        client = client_of(staff)
        shown = upload(client, PEOPLE)
        assert staff.has_perm("authentication.import_users")
        User.objects.get(pk=staff.pk).groups.clear()

        assert confirm(client, shown).status_code == 403
        # A request that was let in before remembers the right.
        with pytest.raises(PermissionRefused):
            InvitationImportService.carry_out(shown.context["plan"].sealed, by=ActedBy(staff))
        assert not Invitation.objects.exists()


@pytest.mark.security
class TestAccess:
    @pytest.mark.parametrize("role", [*BELOW_OWNER, "owner"])
    def test_roles(self, client_of: ClientOf, role: str) -> None:
        client, may = client_of(staff_with(role)), role in {"administrator", "owner"}

        assert client.get(PAGE).status_code == (200 if may else 403)
        assert upload(client, PEOPLE).status_code == (200 if may else 403)
        page = client.get("/admin/authentication/invitation/").content.decode()
        assert (PAGE in page) == may

    def test_there_is_a_limit(self, superuser_client: Client, settings: Settings) -> None:
        set_limits(settings, staff_import="1/h")

        upload(superuser_client, PEOPLE)

        assert upload(superuser_client, PEOPLE).status_code == 429

    def test_members_and_strangers_are_the_same(self, superuser_client: Client) -> None:
        member = UserFactory().email

        def shape(address: str) -> tuple[str, list[str]]:
            with CaptureQueriesContext(connection) as captured:
                shown = upload(superuser_client, f"email\n{address}\n")
                confirm(superuser_client, shown)
            sql = [it["sql"] for it in captured.captured_queries]
            tables = [" ".join(re.findall(r'(?:FROM|INTO|UPDATE) "\w+"', it)) for it in sql]
            return fates(shown)[0][2], tables

        shape("first@example.org")
        assert shape(member) == shape("nobody@example.org")
