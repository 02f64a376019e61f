"""Admin helpers: URLs and common actions."""

import html
import re
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.services.admin_pages import BulkActionService
from authentication.tests.clients import WRONG_PASSWORD, log_in
from authentication.tests.conftest import CHROME
from authentication.tests.factories import PASSWORD

ADMIN_LOGIN = "/admin/login/"
ENROLMENT = "/admin/set-up-two-step/"
ADMIN_COOKIE = "admin_session"
USERS = "/admin/authentication/user/"
GROUPS = "/admin/auth/group/"
SESSIONS = "/admin/authentication/usersession/"
MAILS = "/admin/authentication/outgoingemail/"
TOKENS = "/admin/authentication/tokenblacklist/"
REVOKE_TOKEN = f"{TOKENS}add/"
ACCOUNT_ACTIONS = (
    "unlock",
    "end-sessions",
    "send-verification",
    "send-reset",
    "disable",
    "enable",
)
REASON = "She asked for it at the door."

ADDRESS = "8.8.4.4"
"""The address that `client_of` sends."""

ClientOf = Callable[[User], Client]
"""The type of the fixture `client_of`."""

MakeStaff = Callable[..., User]
"""The type of the fixture `make_staff`."""


def admin_login(
    client: Client, identifier: str, password: str = PASSWORD, *, otp: str = "", **extra: Any
) -> Any:
    """Return the answer to the form of /admin/login/."""
    form = {"username": identifier, "password": password, "next": "/admin/"}
    return client.post(ADMIN_LOGIN, {**form, **({"otp": otp} if otp else {})}, **extra)


def error_note(answer: Any) -> str:
    """Return the error that a form of the admin shows."""
    found = re.search(
        r'class="errornote"[^>]*>\s*(?:<p>)?(.*?)(?:</p>)?\s*<', answer.content.decode(), re.DOTALL
    )
    assert found, answer.content
    return html.unescape(found.group(1).strip())


def assert_login_refused(answer: Any, message: object) -> None:
    """Check that a sign-in to the admin showed this error and opened no session."""
    assert (answer.status_code, error_note(answer)) == (200, str(message))
    assert ADMIN_COOKIE not in answer.cookies
    assert not Session.objects.exists()
    assert not AuditLog.objects.filter(event_type="admin_login").exists()


def api_login_status(api: APIClient, user: User, password: str = PASSWORD) -> int:
    """Sign in to the API; return the answer's status and keep no cookie."""
    status = log_in(api, user, password).status_code
    api.cookies.clear()
    return int(status)


def fail_admin_logins(client: Client, identifier: str, times: int) -> None:
    """Sign in to the admin with a wrong password so many times."""
    for _ in range(times):
        answer = admin_login(client, identifier, WRONG_PASSWORD)
        assert answer.status_code == 200, answer.content


def run_action(client: Client, action: str, *rows: Any, at: str = USERS) -> Any:
    """Select rows of a list and run an action on them; return the page that follows."""
    form = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(at, form, follow=True)


def run_bulk(client: Client, action: str, *people: User, reason: str = REASON) -> Any:
    """Select people, do an action for them after its question, and return the page's answer."""
    question = run_action(client, action, *people)
    bulk = question.context.get("bulk")
    if bulk is None:
        return question
    given = {"reason": reason, "number": str(len(people))}
    started = client.post(question.context["urls"]["start"], given, follow=True)
    BulkActionService.carry_out(str(bulk.pk), seconds=60)
    return client.get(started.request["PATH_INFO"])


def refusals_of(answer: Any) -> list[str]:
    """Return why a bulk action was not done for some people."""
    return [it["refusal"] for it in answer.context["people"]]


def save_name(client: Client, user: User, **fields: Any) -> Any:
    """Save the form of an account with the name it has and these fields."""
    form = {"first_name": user.first_name, "last_name": user.last_name, **fields}
    return client.post(f"{USERS}{user.pk}/change/", {**form, "_save": "Save"})


def messages_of(answer: Any) -> list[str]:
    """Return the messages that a page of the admin shows."""
    return [str(message) for message in answer.context["messages"]]


def assert_audited(event: str, *, actor: User, target: User, **facts: Any) -> None:
    """Check that one event of this type was audited, with its actor, account and client."""
    row = AuditLog.objects.get(event_type=event, user__isnull=False)
    assert (row.user, row.metadata["actor"], row.success) == (target, str(actor.pk), True)
    assert (row.ip_address, row.user_agent) == (ADDRESS, CHROME)
    assert row.correlation_id
    assert facts.items() <= {**row.metadata, "risk": row.risk_level}.items()
