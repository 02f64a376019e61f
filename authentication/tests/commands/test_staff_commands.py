"""Commands that do what staff do in the lists of the admin."""

import uuid
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import AuditLog, FailedTask, Invitation, OutgoingEmail, User, UserSession
from authentication.tests.clients import sign_in, use_access, use_refresh
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory

from .running import run_command

pytestmark = pytest.mark.django_db

NO_ID = str(uuid.UUID(int=0))


def facts_of(event: str) -> dict[str, Any]:
    facts: dict[str, Any] = AuditLog.objects.get(event_type=event).metadata
    return facts


def test_one_session_is_ended_alone(api: APIClient, person: User) -> None:
    lost, kept = sign_in(api, person), sign_in(api, person)
    session = UserSession.objects.earliest("created_at")

    written = run_command("revoke_sessions", person.email, session=str(session.pk), by="Naomi")

    assert written == "1 session(s) ended.\n"
    assert [use_access(api, it) for it in (lost, kept)] == [401, 200]
    facts = facts_of("admin_action")
    assert (facts["action"], facts["operator"]) == ("end_session", "Naomi")


@pytest.mark.parametrize("session", ["x", NO_ID, "ended", "another's"])
def test_a_session_that_the_user_has_not_is_an_error(
    api: APIClient, person: User, session: str
) -> None:
    sign_in(api, person)
    sign_in(api, UserFactory())
    ids = {
        "ended": UserSession.objects.get(user=person),
        "another's": UserSession.objects.exclude(user=person).get(),
    }
    UserSession.objects.filter(user=person).end(reason="logout", at=timezone.now())
    name = str(ids[session].pk) if session in ids else session

    with pytest.raises(CommandError, match="not signed in with the session"):
        run_command("revoke_sessions", person.email, session=name)

    assert UserSession.objects.filter(is_active=True).count() == 1


def test_a_dead_mail_is_sent_again(person: User, delivered: Deliver) -> None:
    mail = OutgoingEmail.objects.create(user=person, kind="password_reset", status="dead")

    written = run_command("send_again", mail=[str(mail.pk)], by="Naomi")

    assert written == "1 mail(s) will be sent again, 0 task(s) will run again.\n"
    assert [it.to for it in delivered()] == [[person.email]]
    assert facts_of("admin_action")["operator"] == "Naomi"
    with pytest.raises(CommandError, match="or it was sent again"):
        run_command("send_again", mail=[str(mail.pk)])


def test_all_failed_tasks_run_again_once() -> None:
    for _ in range(2):
        FailedTask.objects.create(task="authentication.tasks.clean", arguments=["mails"])

    assert "2 task(s)" in run_command("send_again", all_tasks=True)
    assert "0 task(s)" in run_command("send_again", all_tasks=True)


@pytest.mark.parametrize("kind", ["mail", "task"])
@pytest.mark.parametrize("text", ["x", NO_ID])
def test_an_unknown_id_is_an_error(kind: str, text: str) -> None:
    with pytest.raises(CommandError):
        run_command("send_again", **{kind: [text]})


def test_a_token_is_revoked_by_its_identifier(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)

    run_command("revoke_token", str(UserSession.objects.get().refresh_token_jti), by="Naomi")

    assert (use_access(api, tokens), use_refresh(api, tokens)) == (401, 401)
    assert facts_of("token_revoked")["operator"] == "Naomi"
    with pytest.raises(CommandError, match="32 hexadecimal digits"):
        run_command("revoke_token", tokens["refresh"])


def test_an_invitation_is_taken_back() -> None:
    run_command("invite_user", "naomi@example.org")

    run_command("invite_user", "Naomi@Example.org", revoke=True, by="Boaz")

    assert Invitation.objects.get().voided_at
    actions = AuditLog.objects.filter(metadata__action="revoke_invitation")
    assert actions.get().metadata["operator"] == "Boaz"
    with pytest.raises(CommandError, match="no open invitation"):
        run_command("invite_user", "naomi@example.org", revoke=True)
