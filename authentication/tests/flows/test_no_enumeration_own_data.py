"""A person's own data do not tell whether an address they asked to move to is a member's."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AccountExport, EmailChange, OutgoingEmail, User
from authentication.services import ExportService
from authentication.tests.api.email_changes import URL, request_change
from authentication.tests.clients import NOON, Tokens, content_of, get_as, post_as, sign_in
from authentication.tests.conftest import API, Deliver, deliver_due, queries, token_in
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]

ADDRESS = "boaz@example.org"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
_SERVERS = "authentication.tests.services.mail.outbox_mails"
BROKEN = f"{_SERVERS}.BrokenServer"
SERVERS = (LOCMEM, BROKEN, f"{_SERVERS}.NoSuchMailbox")


def member() -> None:
    UserFactory(email=ADDRESS)


def unproven() -> None:
    unverified_user(email=ADDRESS)


def left_lately() -> None:
    """Let an account leave the address, so that it can still come back to it."""
    owner = UserFactory(email="naomi@example.org")
    EmailChange.objects.create(
        user=owner,
        old_email=ADDRESS,
        new_email=owner.email,
        requested_at=NOON - dt.timedelta(days=1),
        confirmed_at=NOON - dt.timedelta(days=1),
    )


def disabled() -> None:
    UserFactory(email=ADDRESS, is_active=False)


def mailed_often() -> None:
    owner = UserFactory(email=ADDRESS)
    for _ in range(3):
        OutgoingEmail.objects.create(user=owner, kind="account_exists", status="sent", sent_at=NOON)


def plain(value: Any) -> Any:
    """Return a value without ids and names, which differ from account to account."""
    if isinstance(value, dict):
        return {name: plain(it) for name, it in value.items()}
    if isinstance(value, list):
        return sorted((plain(it) for it in value), key=str)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|[0-9a-f]{32,64}", "<id>", str(value))
    return re.sub(r"person\d+", "person", text)


def export_of(api: APIClient, person: User, tokens: Tokens) -> dict[str, Any]:
    """Return the person's copy of their data, as they download it."""
    post_as(api, tokens, f"{API}/account/export/")
    ExportService.build(AccountExport.objects.get(user=person).pk)
    deliver_due()
    link = next(it for it in reversed(mail.outbox) if "copy of your data" in it.subject)
    answer = post_as(api, tokens, f"{API}/account/export/download/", {"token": token_in(link)})
    assert answer.status_code == 200
    copy: dict[str, Any] = json.loads(content_of(answer))
    return copy


def seen_by_asker(api: APIClient, settings: Settings, server: str) -> dict[str, Any]:
    """Ask for the address, deliver, and return all that the person who asks can see."""
    person = UserFactory()
    tokens = sign_in(api, person)
    settings.EMAIL_BACKEND = server
    with CaptureQueriesContext(connection) as captured:
        asked = request_change(api, tokens, ADDRESS)
    deliver_due()
    settings.EMAIL_BACKEND = LOCMEM
    seen = {
        "statements": len(queries(captured)),
        "answer": asked.json(),
        "address": get_as(api, tokens, URL).json(),
        "activity": get_as(api, tokens, f"{API}/account/activity/").json(),
        "export": export_of(api, person, tokens),
    }
    kinds = {row["kind"] for row in seen["export"]["mails"]}
    assert kinds == {"email_change", "email_change_notice"}
    # A link to the address may be withheld from its reader, so none is shown.
    assert {row["action"] for row in seen["export"]["other_links"]} <= {"undo_email"}
    found: dict[str, Any] = plain(seen)
    return found


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("occupy", [member, unproven, left_lately, disabled, mailed_often])
def test_what_the_asker_sees_is_the_same_for_a_free_address_and_a_members(
    api: APIClient, settings: Settings, occupy: Callable[[], None], server: str
) -> None:
    settings.RATELIMIT_ENABLE = False
    free = seen_by_asker(api, settings, server)
    EmailChange.objects.all().delete()
    occupy()

    assert seen_by_asker(api, settings, server) == free


def test_the_owner_of_a_taken_address_gets_a_mail_and_no_link_of_the_asker(
    api: APIClient, person: User, delivered: Deliver
) -> None:
    member()
    request_change(api, sign_in(api, person), ADDRESS)

    (message,) = [it for it in delivered() if it.to == [ADDRESS]]
    assert message.subject == "You already have an account"
    assert "token=" not in str(message.body)
    assert person.email not in str(message.body)


def test_the_owner_gets_at_most_three_such_mails_an_hour_from_all_sources(
    api: APIClient, settings: Settings, delivered: Deliver
) -> None:
    settings.RATELIMIT_ENABLE = False
    member()
    for number in range(3):
        request_change(api, sign_in(api, UserFactory()), ADDRESS)
        body = {"email": ADDRESS, "password": PASSWORD, "username": f"boaz{number}"}
        api.post(f"{API}/register/", body)
        delivered()

    assert len([it for it in delivered() if it.to == [ADDRESS]]) == 3


def test_a_failed_mail_to_the_owner_is_sent_once_it_can_be(
    api: APIClient,
    person: User,
    settings: Settings,
    delivered: Deliver,
    time_machine: TimeMachineFixture,
) -> None:
    member()
    request_change(api, sign_in(api, person), ADDRESS)
    settings.EMAIL_BACKEND = BROKEN
    deliver_due()
    settings.EMAIL_BACKEND = LOCMEM
    time_machine.shift(5)

    assert len([it for it in delivered() if it.to == [ADDRESS]]) == 1
    rows = OutgoingEmail.objects.filter(kind="account_exists")
    assert [row.status for row in rows] == ["sent"]
