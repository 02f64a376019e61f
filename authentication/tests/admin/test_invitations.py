"""Inviting people in the admin and by command, and what the inviter sees."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from authentication.exceptions import PermissionRefused
from authentication.models import AuditLog, Invitation, OutgoingEmail, User
from authentication.services.acted_by import ActedBy
from authentication.services.invitations import InvitationService, checked_invited
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.invitations import INVITED, invite
from authentication.tests.limits import set_limits

from .roles import BELOW_OWNER, staff_with
from .staff import ClientOf, messages_of, run_action

pytestmark = pytest.mark.django_db

_TABLES = re.compile(r'(?:FROM|INTO|UPDATE) "\w+"')
LIST = "/admin/authentication/invitation/"
ADD = f"{LIST}add/"


def ask(client: Client, email: str = INVITED, **names: str) -> Any:
    form = {"email": email, "first_name": "", "last_name": "", **names, "_save": "Save"}
    return client.post(ADD, form, follow=True)


class TestInviting:
    def test_a_person_is_invited_and_listed_as_pending(
        self, client_of: ClientOf, delivered: Deliver
    ) -> None:
        staff = staff_with("administrator")
        client = client_of(staff)

        answer = ask(client, "Naomi@Example.org", first_name="Naomi")

        assert messages_of(answer) == ["The invitation is on its way."]
        assert "pending" in answer.content.decode()
        (mail,) = delivered()
        assert (mail.to, mail.subject) == (["Naomi@Example.org"], "You are invited")
        assert "Naomi" not in str(mail.body)
        row = Invitation.objects.get()
        assert (row.first_name, row.invited_by) == ("Naomi", staff)
        assert (row.expires_at - row.created_at).days == 7
        assert str(row.token) not in str(mail.body)

    def test_it_is_audited_without_the_address(self, client_of: ClientOf) -> None:
        staff = staff_with("administrator")

        ask(client_of(staff), first_name="Naomi")

        event = AuditLog.objects.get(description="invite")
        pk = str(Invitation.objects.get().pk)
        assert event.metadata == {"action": "invite", "actor": str(staff.pk), "invitation": pk}
        assert not LogEntry.objects.exists()
        assert INVITED not in str(list(OutgoingEmail.objects.values()))

    @pytest.mark.security
    @pytest.mark.parametrize("role", [*BELOW_OWNER, "owner"])
    def test_roles(self, client_of: ClientOf, role: str) -> None:
        client, row = client_of(staff_with(role)), invite("ruth@example.org")
        may = role in {"administrator", "owner"}

        assert client.get(LIST).status_code == (403 if role == "helper" else 200)
        assert client.get(ADD).status_code == (200 if may else 403)
        assert ask(client).status_code == (200 if may else 403)
        assert Invitation.objects.filter(email=INVITED).exists() == may
        run_action(client, "revoke", row, at=LIST)
        assert (Invitation.objects.get(pk=row.pk).voided_at is not None) == may

    @pytest.mark.security
    @pytest.mark.parametrize("role", ["helper", "administrator"])
    def test_the_right_is_asked_for_when_it_is_written(self, role: str) -> None:
        actor = staff_with(role)
        row, by = invite("ruth@example.org"), ActedBy(actor)
        # The request remembers it.
        assert actor.has_perm("authentication.invite_user") == (role == "administrator")
        User.objects.get(pk=actor.pk).groups.clear()

        with pytest.raises(PermissionRefused):
            InvitationService.invite(checked_invited(INVITED), by=by)
        with pytest.raises(PermissionRefused):
            InvitationService.revoke(row, by=by)

        assert list(Invitation.objects.open()) == [row]

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({"email": "x"}, "valid email"),
            ({"email": ""}, "This field is required."),
            ({"first_name": "\u200b"}, "letters that can be seen"),
            ({"first_name": "x" * 151}, "at most 150 characters"),
        ],
    )
    def test_unusable_values_are_refused(
        self, superuser_client: Client, fields: dict[str, str], told: str
    ) -> None:
        answer = ask(superuser_client, **fields)

        assert told in answer.content.decode()
        assert not Invitation.objects.exists()

    def test_there_is_a_limit_for_each_member_of_staff(
        self, superuser_client: Client, settings: Settings
    ) -> None:
        set_limits(settings, staff_invite="1/h")

        ask(superuser_client)
        ask(superuser_client, "ruth@example.org")

        assert Invitation.objects.count() == 1

    def test_a_new_invitation_voids_the_older(self, superuser_client: Client) -> None:
        ask(superuser_client)
        ask(superuser_client, INVITED.upper())

        assert Invitation.objects.count() == 2
        assert Invitation.objects.open().count() == 1


class TestRevoking:
    def test_it_is_audited_and_happens_once(
        self, superuser_client: Client, superuser: User
    ) -> None:
        row = invite()

        first = run_action(superuser_client, "revoke", row, at=LIST)
        second = run_action(superuser_client, "revoke", row, at=LIST)

        assert messages_of(first) == ["Revoked 1 invitation."]
        assert "accepted, expired or revoked already" in messages_of(second)[0]
        assert AuditLog.objects.filter(description="revoke_invitation").count() == 1
        assert "revoked" in superuser_client.get(LIST).content.decode()

    def test_a_mail_that_is_not_sent_yet_is_not_sent(
        self, superuser_client: Client, delivered: Deliver
    ) -> None:
        run_action(superuser_client, "revoke", invite(), at=LIST)

        assert delivered() == []
        assert OutgoingEmail.objects.get().status == "suppressed"


@pytest.mark.security
class TestNothingTellsWhoIsAMember:
    def people(self) -> list[str]:
        unproven, disabled = unverified_user(), UserFactory(is_active=False)
        return [UserFactory().email, unproven.email, disabled.email, "nobody@example.org"]

    def test_the_answers_and_rows_are_the_same(
        self, superuser_client: Client, delivered: Deliver
    ) -> None:
        shown = set()
        for address in self.people():
            ask(superuser_client, address)
            delivered()
            row = Invitation.objects.latest("created_at")
            mail = OutgoingEmail.objects.get(kind="invitation", context__invitation=str(row.pk))
            page = superuser_client.get(f"{LIST}?q={address}").content.decode()
            state = re.findall(r"field-state[^>]*>([^<]*)<", page)
            shown.add((mail.status, mail.user_id, mail.attempts, mail.last_error, *state))

        assert shown == {("sent", None, 1, "", "pending")}

    def test_the_statements_are_the_same(self, superuser_client: Client) -> None:
        ask(superuser_client, "first@example.org")

        def statements(address: str) -> tuple[str, ...]:
            with CaptureQueriesContext(connection) as captured:
                ask(superuser_client, address)
            found = [it["sql"] for it in captured.captured_queries]
            return tuple(" ".join(_TABLES.findall(it)) or it.partition(" ")[0] for it in found)

        assert len({statements(it) for it in self.people()}) == 1

    def test_a_member_is_told_that_they_have_an_account(self, delivered: Deliver) -> None:
        member = UserFactory()

        for _ in range(4):
            invite(member.email)
            delivered()

        mails = delivered()
        assert {(it.subject, *it.to) for it in mails} == {
            ("You already have an account", member.email)
        }
        assert len(mails) == 3

    def test_invitations_that_were_not_mailed_do_not_count(self, delivered: Deliver) -> None:
        for _ in range(5):
            invite()

        assert len(delivered()) == 1

    def test_an_address_gets_three_invitations_an_hour(self, delivered: Deliver) -> None:
        for _ in range(4):
            invite()
            delivered()

        assert len(delivered()) == 3
        assert OutgoingEmail.objects.filter(status="sent").count() == 4


class TestCommand:
    def test_it_invites_and_names_who_ran_it(self, db: None, delivered: Deliver) -> None:
        written = run_command("invite_user", INVITED, "--first-name", "Naomi", by="Ruth")

        assert written == f"{INVITED} is invited.\n"
        assert delivered()[0].to == [INVITED]
        facts = AuditLog.objects.get().metadata
        assert (facts["actor"], facts["operator"]) == ("command line", "Ruth")

    def test_an_unusable_address_is_refused(self, db: None) -> None:
        with pytest.raises(CommandError, match="valid email"):
            run_command("invite_user", "x", by="Ruth")


def test_the_page_of_a_row_shows_no_secret(superuser_client: Client, superuser: User) -> None:
    row = invite(actor=superuser)
    Invitation.objects.issue(row.pk, at=timezone.now())
    row.refresh_from_db()

    page = superuser_client.get(f"{LIST}{row.pk}/change/").content.decode()

    assert INVITED in page
    assert str(row.token) not in page
