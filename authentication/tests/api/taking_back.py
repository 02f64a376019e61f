"""A thief's sensitive changes, and the links that take them back."""

from typing import Any

from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import NEW_PASSWORD, Tokens, post_as
from authentication.tests.conftest import API, Deliver, bearer, token_in

from .email_changes import CONFIRM, UNDO, request_change
from .profile import update_profile
from .second_factor import set_up_factor

UNDO_CHANGE = f"{API}/account/change/undo/"
DISOWN = f"{API}/account/disown-session/"
NOTICES = f"{API}/account/notices/"
DELETE = f"{API}/account/delete/"
RESET = f"{API}/password/reset/confirm/"
SUBJECTS = {
    "deletion": "Your account will be deleted",
    "second_factor": "Your two-step sign-in was changed",
    "username": "Your username was changed",
    "notices": "Some mails are turned off",
}
"""The subject of the mail about each sensitive change, but for a change of address."""


def stop_notices(api: APIClient, tokens: Tokens) -> Any:
    return api.put(NOTICES, {"notices": False}, headers=bearer(tokens["access"]))


def make_change(api: APIClient, tokens: Tokens, kind: str) -> None:
    """Make a sensitive change of a kind of SUBJECTS."""
    if kind == "second_factor":
        set_up_factor(api, tokens)
        return
    answer = {
        "deletion": lambda: post_as(api, tokens, DELETE),
        "username": lambda: update_profile(api, tokens, {"username": "thief"}),
        "notices": lambda: stop_notices(api, tokens),
    }[kind]()
    assert answer.status_code == 200, answer.content


def make_every_change(api: APIClient, tokens: Tokens) -> None:
    # The deletion last: it ends the session.
    for kind in ("second_factor", "username", "notices", "deletion"):
        make_change(api, tokens, kind)


def move(api: APIClient, tokens: Tokens, address: str, delivered: Deliver) -> None:
    """Move the account to another address, with the link that is mailed there."""
    assert request_change(api, tokens, address).status_code == 200
    new = [mail for mail in delivered() if mail.to == [address] and "Confirm" in mail.subject]
    assert api.post(CONFIRM, {"token": token_in(new[-1])}).status_code == 200


def latest(mails: list[EmailMessage], address: str, subject: str) -> EmailMessage:
    """Return the latest mail to an address with a subject."""
    return [it for it in mails if it.to == [address] and it.subject == subject][-1]


def notice(mails: list[EmailMessage], address: str) -> str:
    """Return the token in the first notice of a change to an address."""
    found = [it for it in mails if it.to == [address] and "about to change" in it.subject]
    return token_in(found[0])


def undo_email(api: APIClient, token: str) -> dict[str, Any]:
    answer = api.post(UNDO, {"token": token})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def reset_status(api: APIClient, token: str) -> int:
    return int(api.post(RESET, {"token": token, "new_password": NEW_PASSWORD}).status_code)


def in_force(person: User) -> set[str]:
    """Return which sensitive changes are in force, by the account as it was first."""
    now, before = User.objects.get(pk=person.pk), person
    found = {
        "email": now.email != before.email,
        "username": now.username != before.username,
        "deletion": now.deletion_requested_at is not None,
        "second_factor": now.second_factor_at is not None,
        "notices": now.notices_stopped_at is not None,
    }
    return {kind for kind, is_in_force in found.items() if is_in_force}
