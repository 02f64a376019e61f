"""What clients do, in one call each."""

import datetime as dt
import uuid
from typing import Any

from rest_framework.test import APIClient

from authentication.models import User

from .conftest import API, ME, bearer
from .factories import PASSWORD

REFRESH = f"{API}/token/refresh/"
VERIFY = f"{API}/token/verify/"
NOON = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)
"""When the tests that stop the clock begin."""

NEW_PASSWORD = "Another-Horse-7"

Tokens = dict[str, Any]
"""The body of an answer that carries tokens to an app."""


def sign_in(
    api: APIClient, person: User, *, headers: dict[str, str] | None = None, **extra: Any
) -> Tokens:
    """Sign an app in, which keeps its tokens itself."""
    answer = api.post(
        f"{API}/login/", {"email": person.email, "password": PASSWORD, **extra}, headers=headers
    )
    assert answer.status_code == 200, answer.content
    api.cookies.clear()
    body: Tokens = answer.json()
    return body


def refreshed(api: APIClient, token: str) -> Tokens:
    """Swap a refresh token for new ones."""
    answer = api.post(REFRESH, {"refresh": token})
    assert answer.status_code == 200, answer.content
    body: Tokens = answer.json()
    return body


def refresh_by_cookie(api: APIClient, token: str, **headers: str) -> Any:
    """Return the answer to a refresh token that comes as a cookie."""
    api.cookies["refresh_token"] = token
    answer = api.post(REFRESH, headers=headers)
    api.cookies.clear()
    return answer


def use_refresh(api: APIClient, tokens: Tokens) -> int:
    """Use the refresh token; return the answer's status."""
    return int(api.post(REFRESH, {"refresh": tokens["refresh"]}).status_code)


def use_access(api: APIClient, tokens: Tokens) -> int:
    """Use the access token; return the answer's status."""
    return int(api.get(ME, headers=bearer(tokens["access"])).status_code)


def use_verify(api: APIClient, tokens: Tokens) -> int:
    """Have the access token looked at; return the answer's status."""
    return int(api.post(VERIFY, {"token": tokens["access"]}).status_code)


def another_password() -> str:
    """Return a password nobody had before."""
    return f"Another-Horse-{uuid.uuid4()}"


def set_password(person: User, password: str = NEW_PASSWORD) -> None:
    """Set a password as Django's own forms and commands do."""
    person.set_password(password)
    person.save()
