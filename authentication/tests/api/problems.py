"""Requests that are refused; the comparison of the refusal with RFC 9457 and our own members."""

from typing import Any

from rest_framework.test import APIClient

from authentication.tests.answers import rows
from authentication.tests.clients import LOGIN
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD

PASSWORD_CHANGE = f"{API}/password/change/"
FORM = "application/x-www-form-urlencoded"
MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "error",
    "details",
    "correlation_id",
}
TITLES = {
    "validation_error": "Invalid input",
    "token_invalid": "Not signed in",
    "csrf_failed": "Cross-site request refused",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "payload_too_large": "Request too large",
    "unsupported_media_type": "Unsupported media type",
    "rate_limited": "Too many requests",
    "server_error": "Something went wrong",
    "service_unavailable": "Service unavailable",
}
SECRET = "SELECT password FROM auth_user; SECRET_KEY=hunter2"

READERS = [
    ("POST", f"{API}/register/", "email"),
    ("POST", LOGIN, "email"),
    ("POST", f"{API}/token/refresh/", "refresh"),
    ("POST", f"{API}/token/verify/", "token"),
    ("POST", f"{API}/exchange-token/", "exchange_token"),
    ("POST", PASSWORD_CHANGE, "old_password"),
    ("POST", f"{API}/password/reset/", "email"),
    ("POST", f"{API}/password/reset/confirm/", "token"),
    ("POST", f"{API}/email/verify/", "token"),
    ("POST", f"{API}/email/resend/", "email"),
    ("PATCH", ME, "first_name"),
]
"""Each endpoint that needs a body, with one of its fields."""


def mismatches(
    answer: Any, status: int, code: str, *, fields: set[str] | None = None, **members: Any
) -> dict[str, Any]:
    """Return what an answer says otherwise than the problem of the code.

    `fields` are the fields that `errors` must name, `members` are members with their values.
    """
    if answer.get("Content-Type") != "application/problem+json":
        return {"status": answer.status_code, "content": answer.content}
    body = answer.json()
    expected = {
        "type": f"/api/problems/{code}/",
        "title": TITLES[code],
        "status": status,
        "code": code,
        "error": body.get("detail"),
        "details": body.get("errors", {"non_field_errors": [body.get("detail")]}),
        "instance": answer.wsgi_request.path,
        "correlation_id": answer["X-Correlation-ID"],
        **members,
    }
    wrong = {name: body.get(name) for name, value in expected.items() if body.get(name) != value}
    names = MEMBERS | ({"errors"} if code == "validation_error" else set())
    if body.keys() != names:
        wrong["members"] = sorted(body)
    if answer.status_code != status:
        wrong["HTTP status"] = answer.status_code
    if answer["Cache-Control"] != "no-store":
        wrong["Cache-Control"] = answer["Cache-Control"]
    if fields is not None and body.get("errors", {}).keys() != fields:
        wrong["errors"] = body.get("errors")
    return wrong


def send(
    api: APIClient,
    content: Any,
    *,
    content_type: str = "application/json",
    url: str = LOGIN,
    **extra: Any,
) -> Any:
    """Post a body as it is, byte for byte."""
    return api.generic("POST", url, content, content_type=content_type, **extra)


def answering_crashes(api: APIClient) -> APIClient:
    """Return the client as a server runs it: an exception becomes an answer."""
    api.raise_request_exception = False
    return api


def access_headers(url: str, access: str) -> dict[str, str]:
    """Return the headers that the endpoint needs before it reads the body."""
    return bearer(access) if url in {ME, PASSWORD_CHANGE} else {}


def credentials(email: str) -> dict[str, str]:
    """Return the body of a sign-in that succeeds."""
    return {"email": email, "password": PASSWORD}


def stored_without_sessions() -> dict[str, Any]:
    """Return every row except the sessions, which record each use of their tokens."""
    return {name: found for name, found in rows().items() if name != "UserSession"}
