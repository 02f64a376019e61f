"""Requests that many tests send, one function each."""

import datetime as dt
import json
import re
import uuid
from typing import Any

from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import User

from .conftest import API, BROWSER, CHROME, ME, bearer
from .factories import PASSWORD

LOGIN = f"{API}/login/"
REFRESH = f"{API}/token/refresh/"
VERIFY = f"{API}/token/verify/"
WELCOME = "/account/welcome/"
NOON = dt.datetime(2026, 11, 22, 12, 0, 0, tzinfo=dt.UTC)
"""The time at which tests with a stopped clock begin."""

NEW_PASSWORD = "Another-Horse-7"
WRONG_PASSWORD = "Wrong-Horse-9"

EVIL = "https://evil.example"
FOREIGN_PAGE = {**BROWSER, "Origin": EVIL, "Sec-Fetch-Site": "cross-site"}
"""The headers of a browser's request from a page of another site."""

Tokens = dict[str, Any]
"""The body of an answer that carries tokens to an app."""


def log_in(api: APIClient, user: User, password: str = PASSWORD, /, **body: Any) -> Any:
    """Return the answer to a sign-in by email address and password."""
    return api.post(LOGIN, {"email": user.email, "password": password, **body})


def post_as(
    api: APIClient,
    tokens: Tokens,
    url: str,
    body: dict[str, Any] | None = None,
    /,
    **headers: str,
) -> Any:
    """Return the answer to a POST with the access token of these tokens."""
    return api.post(url, body, headers={**bearer(tokens["access"]), **headers})


def post_json(api: APIClient, url: str, body: object, **headers: str) -> Any:
    """Return the answer to a POST of a value that only JSON can carry."""
    return api.post(url, json.dumps(body), content_type="application/json", headers=headers)


def get_as(api: APIClient, tokens: Tokens, url: str, query: dict[str, Any] | None = None) -> Any:
    """Return the answer to a GET with the access token of these tokens."""
    return api.get(url, query, headers=bearer(tokens["access"]))


def page_browser() -> Client:
    """Return a browser that has to send Django's CSRF token with every form."""
    return Client(enforce_csrf_checks=True, headers={"User-Agent": CHROME})


def hidden_fields(page: Any) -> dict[str, str]:
    """Return the hidden fields of the form on a page."""
    return dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    )


def submit_form(
    visitor: Client, url: str, query: dict[str, str] | None = None, **typed: str
) -> Any:
    """Open a page and submit its form as a browser does; return the page that it shows then.

    A redirect to another page is returned itself.
    """
    fields = hidden_fields(visitor.get(url, query))
    return shown(visitor, url, send_form(visitor, url, **{**fields, **typed}))


def send_form(visitor: Client, url: str, **fields: str) -> Any:
    """Send a form's fields as a browser does; return the answer."""
    return visitor.post(url, fields, headers={"Origin": "http://testserver"})


def shown(visitor: Client, url: str, answer: Any) -> Any:
    """Return what a browser shows: the page itself, or the one that a new member is led to."""
    own = (f"{url}?done=", f"{settings.BACKEND_URL}{WELCOME}#exchange_token=")
    if answer.status_code == 303 and answer["Location"].startswith(own):
        # Browsers do not send the fragment.
        return visitor.get(answer["Location"].partition("#")[0])
    return answer


def sign_in(
    api: APIClient, person: User, *, headers: dict[str, str] | None = None, **extra: Any
) -> Tokens:
    """Sign in as an app does; return the tokens and clear the cookies."""
    answer = api.post(
        LOGIN, {"email": person.email, "password": PASSWORD, **extra}, headers=headers
    )
    assert answer.status_code == 200, answer.content
    api.cookies.clear()
    body: Tokens = answer.json()
    return body


def refreshed(api: APIClient, token: str) -> Tokens:
    """Swap a refresh token for new tokens."""
    answer = api.post(REFRESH, {"refresh": token})
    assert answer.status_code == 200, answer.content
    body: Tokens = answer.json()
    return body


def refresh_by_cookie(api: APIClient, token: str, **headers: str) -> Any:
    """Return the answer to a refresh token sent as a cookie."""
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
    """Have the access token verified; return the answer's status."""
    return int(api.post(VERIFY, {"token": tokens["access"]}).status_code)


def another_password() -> str:
    """Return a password that no account has had before."""
    return f"Another-Horse-{uuid.uuid4()}"


def set_password(person: User, password: str = NEW_PASSWORD) -> None:
    """Set a password as Django's own forms and commands do."""
    person.set_password(password)
    person.save()


def content_of(answer: Any) -> bytes:
    """Return a download, read to its end, where the test client closes it."""
    return b"".join(answer.streaming_content)
