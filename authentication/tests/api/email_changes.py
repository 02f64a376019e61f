"""What the tests of /api/v1/auth/account/email/ share."""

from typing import Any, NamedTuple

from django.core.mail import EmailMessage
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import LOGIN, Tokens, get_as, post_as
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD

URL = f"{API}/account/email/"
CONFIRM, UNDO = f"{URL}confirm/", f"{URL}undo/"
NEW = "naomi@example.net"


class Links(NamedTuple):
    """The tokens that confirm and that undo one change."""

    confirm: str
    undo: str


def request_change(api: APIClient, tokens: Tokens, email: str = NEW, **headers: str) -> Any:
    return post_as(api, tokens, URL, {"email": email}, **headers)


def change_state(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    body: dict[str, Any] = get_as(api, tokens, URL).json()
    return body


def mail_to(mails: list[EmailMessage], address: str) -> EmailMessage:
    (found,) = (mail for mail in mails if mail.to == [address])
    return found


def login_status(api: APIClient, address: str, password: str = PASSWORD) -> int:
    return int(api.post(LOGIN, {"email": address, "password": password}).status_code)


def request_links(api: APIClient, user: User, tokens: Tokens, delivered: Deliver) -> Links:
    """Request a change and return the tokens of its two mails."""
    assert request_change(api, tokens).status_code == 200
    mails = delivered()
    return Links(token_in(mail_to(mails, NEW)), token_in(mail_to(mails, user.email)))
