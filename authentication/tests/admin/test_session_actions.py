"""Ending sessions and sending mails again."""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User, UserSession
from authentication.tests.clients import Tokens, sign_in, use_access, use_refresh
from authentication.tests.conftest import Deliver
from authentication.tests.forging import claims_of

from .staff import MAILS, SESSIONS, ClientOf, MakeStaff, assert_audited, messages_of, run_action

pytestmark = pytest.mark.django_db


class TestSessionActions:
    def test_end_revokes_the_tokens_of_the_session(
        self,
        superuser_client: Client,
        superuser: User,
        api: APIClient,
        person: User,
        signed_in: Tokens,
    ) -> None:
        other = sign_in(api, person)
        session = UserSession.objects.get(pk=claims_of(signed_in["access"])["sid"])

        answer = run_action(superuser_client, "end", session, at=SESSIONS)

        assert messages_of(answer) == ["Ended 1 session."]
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
        assert use_access(api, other) == 200
        assert_audited(
            "admin_action",
            actor=superuser,
            target=person,
            action="end_session",
            session=str(session.pk),
        )

    def test_staff_without_the_permission_end_no_session(
        self, client_of: ClientOf, make_staff: MakeStaff, api: APIClient, signed_in: Tokens
    ) -> None:
        client = client_of(make_staff("view_usersession", "change_user"))

        run_action(client, "end", UserSession.objects.get(), at=SESSIONS)

        assert use_access(api, signed_in) == 200
        assert not AuditLog.objects.filter(event_type="admin_action").exists()

    def test_staff_cannot_end_a_session_of_a_superuser(
        self, client_of: ClientOf, make_staff: MakeStaff, api: APIClient, superuser: User
    ) -> None:
        tokens = sign_in(api, superuser)
        client = client_of(make_staff("view_usersession", "change_usersession"))

        answer = run_action(client, "end", UserSession.objects.get(), at=SESSIONS)

        assert messages_of(answer) == [
            "You are not allowed to do this.",
            "Ended 0 sessions.",
        ]
        assert use_access(api, tokens) == 200


class TestMailActions:
    @pytest.fixture
    def undelivered(self, person: User) -> OutgoingEmail:
        return OutgoingEmail.objects.create(
            user=person,
            kind="account_locked",
            status="dead",
            attempts=8,
            last_error="SMTPServerDisconnected",
            next_attempt_at=timezone.now() - dt.timedelta(days=1),
        )

    def test_send_again_sends_an_undelivered_mail(
        self, superuser_client: Client, undelivered: OutgoingEmail, person: User, delivered: Deliver
    ) -> None:
        answer = run_action(superuser_client, "send_again", undelivered, at=MAILS)

        [message] = delivered()
        undelivered.refresh_from_db()
        assert messages_of(answer) == ["1 mail will be sent again."]
        assert message.to == [person.email]
        assert (undelivered.status, undelivered.last_error) == ("sent", "")

    def test_send_again_is_audited(
        self, superuser_client: Client, superuser: User, undelivered: OutgoingEmail, person: User
    ) -> None:
        run_action(superuser_client, "send_again", undelivered, at=MAILS)

        assert_audited("admin_action", actor=superuser, target=person, action="send_again")

    @pytest.mark.parametrize("status", ["queued", "suppressed"])
    def test_send_again_ignores_mails_that_are_not_dead(
        self, superuser_client: Client, undelivered: OutgoingEmail, status: str
    ) -> None:
        OutgoingEmail.objects.update(status=status)
        before = OutgoingEmail.objects.values().get()

        run_action(superuser_client, "send_again", undelivered, at=MAILS)

        assert OutgoingEmail.objects.values().get() == before

    def test_staff_without_the_permission_send_no_mail(
        self, client_of: ClientOf, make_staff: MakeStaff, undelivered: OutgoingEmail
    ) -> None:
        client = client_of(make_staff("view_outgoingemail", "change_user"))

        run_action(client, "send_again", undelivered, at=MAILS)

        undelivered.refresh_from_db()
        assert undelivered.status == "dead"
