"""What the tests of the sign-in share."""

from typing import Any

from authentication.models import UserSession
from authentication.tests.answers import comparable
from authentication.tests.conftest import API

URL = f"{API}/login/"
COOKIE = "refresh_token"
NAMES = ["email_or_username", "email", "username"]


def visible(answer: Any) -> dict[str, Any]:
    """Return what a client sees of an answer, whenever it asks."""
    return comparable(answer, ignore={"RateLimit"})


def assert_not_signed_in(answer: Any, status: int, code: str) -> None:
    """Check that an answer is this problem, holds no token, and that no session was opened."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert COOKIE not in answer.cookies
    assert not {"access", "access_token", "refresh", "user", "device_id"} & answer.json().keys()
    assert not UserSession.objects.exists()
