"""Invitations in tests: sending them, and what their reader does."""

from typing import Any

from rest_framework.test import APIClient

from authentication.models import Invitation, User
from authentication.services.acted_by import ActedBy
from authentication.services.invitations import InvitationService, Invited
from authentication.tests.conftest import API

INVITED, CHOSEN = "naomi@example.org", "Chosen-Horse-7"
ACCEPT = f"{API}/invitations/accept/"
PAGE = "/account/accept-invitation/"


def invite(email: str = INVITED, *, actor: User | None = None, **names: str) -> Invitation:
    """Invite a person without a page."""
    return InvitationService.invite(Invited(email, **names), by=ActedBy(actor))


def accept(api: APIClient, token: str, password: str = CHOSEN, **body: Any) -> Any:
    """Return the answer to an acceptance."""
    api.cookies.clear()
    return api.post(ACCEPT, {"token": token, "password": password, **body})
