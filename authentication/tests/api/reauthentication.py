"""Proofs of identity on a session, and an action that needs a recent one."""

from typing import Any

from rest_framework.test import APIClient

from authentication.tests.clients import Tokens, post_as
from authentication.tests.conftest import API

REAUTHENTICATE = f"{API}/reauthenticate/"
REAUTHENTICATION_REQUIRED = {
    "type": "/api/problems/reauthentication_required/",
    "title": "Please confirm that it is you",
    "status": 403,
    "detail": "First we need to know that it's you. Please enter your password or a code.",
    "code": "reauthentication_required",
    "error": "First we need to know that it's you. Please enter your password or a code.",
    "WWW-Authenticate": None,
}


def reauthenticate(api: APIClient, tokens: Tokens, **body: Any) -> Any:
    """Give a password or a code on the session of the tokens; return the answer."""
    return post_as(api, tokens, REAUTHENTICATE, body)


def request_email_change(api: APIClient, tokens: Tokens) -> Any:
    """Ask for another address, which needs a recent proof; return the answer."""
    return post_as(api, tokens, f"{API}/account/email/", {"email": "naomi@example.net"})
