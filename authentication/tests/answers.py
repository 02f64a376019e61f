"""What clients are told, and what the database holds, in a form that can be compared."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Model

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    Consent,
    EmailChange,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordHistory,
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)

from .forging import FORGERIES

_TABLES: tuple[type[Model], ...] = (
    AccountExport,
    ActionToken,
    AuditLog,
    Consent,
    EmailChange,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordHistory,
    RecoveryCode,
    SecondFactor,
    SignInChallenge,
    TokenBlacklist,
    User,
    UserSession,
)

TOKEN_INVALID = {
    "type": "/api/problems/token_invalid/",
    "title": "Not signed in",
    "status": 401,
    "detail": "You are not signed in. Please sign in to continue.",
    "code": "token_invalid",
    "error": "You are not signed in. Please sign in to continue.",
    "WWW-Authenticate": "Bearer",
}
LINK_INVALID = {
    "type": "/api/problems/token_invalid/",
    "title": "Invalid or expired link",
    "status": 400,
    "detail": "This link no longer works. Please ask for a new one.",
    "code": "token_invalid",
    "error": "This link no longer works. Please ask for a new one.",
    "WWW-Authenticate": None,
}


def invalid(**errors: list[str]) -> dict[str, Any]:
    """Return the refusal of fields that do not hold what they should."""
    detail = "Please check the marked fields."
    return {
        "type": "/api/problems/validation_error/",
        "title": "Invalid input",
        "status": 400,
        "detail": detail,
        "code": "validation_error",
        "error": detail,
        "errors": errors,
        "WWW-Authenticate": None,
    }


def refusal_of(answer: Any) -> dict[str, Any]:
    """Return all that a refusal says, once what differs from request to request has been checked."""
    body: dict[str, Any] = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body.pop("instance") == answer.wsgi_request.path
    assert body.pop("correlation_id") == answer["X-Correlation-ID"]
    assert body["status"] == answer.status_code
    return {**body, "WWW-Authenticate": answer.get("WWW-Authenticate")}


def cookie_of(answer: Any) -> dict[str, Any] | None:
    """Return the refresh cookie an answer sets, with the attributes a browser looks at; None if it sets none."""
    cookie = answer.cookies.get(settings.REFRESH_TOKEN_COOKIE_NAME)
    if cookie is None:
        return None
    names = ("path", "domain", "samesite", "secure", "httponly", "max-age")
    return {"value": cookie.value, **{name: cookie[name] for name in names}}


def refresh_cookie(value: str, *, max_age: int = 14 * 24 * 60 * 60) -> dict[str, Any]:
    """Return what `cookie_of` returns for a cookie as the contract wants it; without a value and age it is cleared."""
    attributes = {
        "path": "/",
        "domain": "",
        "samesite": "Lax",
        "secure": "",
        "httponly": True,
        "max-age": max_age,
    }
    return {"value": value, **attributes}


CLEARED = refresh_cookie("", max_age=0)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return everything the service has stored."""
    return {
        table.__name__: list(table._default_manager.order_by("pk").values()) for table in _TABLES
    }


def not_refused(
    present: Callable[[str], Any],
    claims: dict[str, Any],
    *,
    leaving_out: frozenset[str] | set[str] = frozenset(),
) -> dict[str, Any]:
    """Return the forgeries of a token that were answered otherwise than with a 401, or that changed anything."""
    before, wrong = rows(), {}
    for name in FORGERIES.keys() - leaving_out:
        answer = present(FORGERIES[name](claims))
        if answer.status_code != 401 or refusal_of(answer) != TOKEN_INVALID or rows() != before:
            wrong[name] = answer.content
            before = rows()
    return wrong
