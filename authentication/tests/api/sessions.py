"""Requests for the list of a user's sessions and for one of them."""

from typing import Any

from rest_framework.test import APIClient

from authentication.models import UserSession
from authentication.tests.clients import Tokens, get_as
from authentication.tests.conftest import API, bearer
from authentication.tests.forging import claims_of

SESSIONS = f"{API}/sessions/"
TERMINATE_ALL = f"{SESSIONS}terminate-all/"
NOT_FOUND = {
    "type": "/api/problems/not_found/",
    "title": "Not found",
    "status": 404,
    "detail": "There is nothing here.",
    "code": "not_found",
    "error": "There is nothing here.",
    "WWW-Authenticate": None,
}


def session_id(tokens: Tokens) -> str:
    """Return the identifier of the session that the tokens belong to."""
    return str(claims_of(tokens["refresh"])["sid"])


def session_url(tokens: Tokens) -> str:
    """Return the address of the session that the tokens belong to."""
    return f"{SESSIONS}{session_id(tokens)}/"


def stored_session(tokens: Tokens) -> UserSession:
    """Return the row of the session that the tokens belong to."""
    found: UserSession = UserSession.objects.get(pk=session_id(tokens))
    return found


def list_sessions(api: APIClient, tokens: Tokens) -> list[dict[str, Any]]:
    """Return the sessions that the holder of the tokens sees."""
    answer = get_as(api, tokens, SESSIONS)
    assert answer.status_code == 200, answer.content
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


def terminate(api: APIClient, ended: Tokens, *, by: Tokens, **headers: str) -> Any:
    """End one session with the access token of another; return the answer."""
    return api.delete(session_url(ended), headers={**headers, **bearer(by["access"])})
