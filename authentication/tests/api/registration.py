"""Registrations, and the comparison of their refusals."""

from collections.abc import Iterable
from typing import Any

from rest_framework.test import APIClient

from authentication.models import OutgoingEmail, User, UserProfile, UserSession
from authentication.tests.answers import cookie_of
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

REGISTER = f"{API}/register/"
REGISTERED = "Registration successful. Please check your email to verify your account."
NEWCOMER = {
    "email": "naomi@example.org",
    "password": PASSWORD,
    "first_name": "Naomi",
    "last_name": "Bethlehem",
}
TEXTS = [
    "email",
    "password",
    "password_confirm",
    "username",
    "first_name",
    "last_name",
    "display_name",
    "timezone",
]
CONSENTS = ["terms_accepted", "privacy_policy_accepted"]


def register(api: APIClient, *, headers: Any = None, **fields: Any) -> Any:
    """Register `NEWCOMER` with these fields; return the answer."""
    return api.post(REGISTER, {**NEWCOMER, **fields}, headers=headers)


def refusal_mismatch(answer: Any, *fields: str) -> dict[str, Any]:
    """Return what an answer has otherwise than the refusal of exactly these fields."""
    body = answer.json()
    found = {
        "status": answer.status_code,
        "code": body.get("code"),
        "errors": sorted(body.get("errors", {})),
        "cookie": cookie_of(answer),
    }
    expected = {
        "status": 400,
        "code": "validation_error",
        "errors": sorted(fields),
        "cookie": None,
    }
    return {} if found == expected else {**found, "body": body}


def not_refused(api: APIClient, cases: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """Register once for each field and value; return the answers that do not refuse the field."""
    return {
        f"{field}={ascii(value)[:40]}": wrong
        for field, value in cases
        if (wrong := refusal_mismatch(register(api, **{field: value}), field))
    }


def assert_refused(answer: Any, *fields: str) -> None:
    """Check that an answer refuses exactly these fields and starts no session."""
    assert refusal_mismatch(answer, *fields) == {}
    assert not UserSession.objects.exists()


def assert_nothing_stored() -> None:
    """Check that there is no account, no profile, no session and no mail."""
    for table in (User, UserProfile, UserSession, OutgoingEmail):
        assert not table._default_manager.exists(), table
