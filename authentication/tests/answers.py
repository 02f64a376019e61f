"""Answers and stored rows in a form that tests can compare."""

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model

from .forging import FORGERIES

Case = TypeVar("Case")
Outcome = TypeVar("Outcome")

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
    """Return what `refusal_of` returns for a body with invalid fields."""
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


PER_REQUEST = frozenset({"X-Correlation-ID", "X-Response-Time", "Server-Timing"})
"""Headers that differ between two requests with the same answer."""


def comparable(answer: Any, *, ignore: Collection[str] = ()) -> dict[str, Any]:
    """Return status, body, headers and cookies, without what differs from request to request.

    `ignore` names further headers to leave out, such as RateLimit while the clock runs.
    """
    name = answer["X-Correlation-ID"].encode()
    return {
        "status": answer.status_code,
        "body": answer.content.replace(name, b""),
        "headers": {
            header: value
            for header, value in answer.items()
            if header not in PER_REQUEST and header not in ignore
        },
        "cookies": answer.cookies.output(),
    }


def problem_code(answer: Any) -> str:
    """Return the code of an error answer."""
    return str(refusal_of(answer)["code"])


def assert_problem(answer: Any, status: int, code: str, **fields: Any) -> None:
    """Check that an answer is this problem, and that its body holds these fields."""
    problem = refusal_of(answer)
    found = {name: problem.get(name) for name in ("status", "code", *fields)}
    assert found == {"status": status, "code": code, **fields}, problem


def invalid_fields(answer: Any) -> set[str]:
    """Return the fields that a validation error names; none for any other answer."""
    if answer.status_code != 400 or problem_code(answer) != "validation_error":
        return set()
    return set(answer.json()["errors"])


def assert_invalid_fields(answer: Any, *names: str) -> None:
    """Check that an answer refuses the body for these fields and no others."""
    assert invalid_fields(answer) == set(names), answer.content


def refusal_of(answer: Any) -> dict[str, Any]:
    """Return a problem and its WWW-Authenticate header.

    What differs from request to request is checked and left out.
    """
    body: dict[str, Any] = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body.pop("instance") == answer.wsgi_request.path
    assert body.pop("correlation_id") == answer["X-Correlation-ID"]
    assert body["status"] == answer.status_code
    details = body.pop("details")
    assert details == body.get("errors", {"non_field_errors": [body["detail"]]})
    return {**body, "WWW-Authenticate": answer.get("WWW-Authenticate")}


def cookie_of(answer: Any) -> dict[str, Any] | None:
    """Return the refresh cookie that an answer sets, with its attributes; None if it sets none."""
    cookie = answer.cookies.get(settings.REFRESH_TOKEN_COOKIE_NAME)
    if cookie is None:
        return None
    names = ("path", "domain", "samesite", "secure", "httponly", "max-age")
    return {"value": cookie.value, **{name: cookie[name] for name in names}}


def refresh_cookie(value: str, *, max_age: int = 14 * 24 * 60 * 60) -> dict[str, Any]:
    """Return what `cookie_of` returns for a refresh cookie with the attributes of the contract."""
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
"""What `cookie_of` returns for an answer that deletes the refresh cookie."""


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table of the service, as the database driver reads it."""
    tables = apps.get_app_config("authentication").get_models()
    # Written by hand: Django takes longer to build these queries than the database to answer them.
    with connection.cursor() as cursor:
        return {table.__name__: _rows_of(cursor, table) for table in tables}


def _rows_of(cursor: Any, table: type[Model]) -> list[dict[str, Any]]:
    name, key = table._meta.db_table, table._meta.pk.column
    cursor.execute(f'SELECT * FROM "{name}" ORDER BY "{key}"')  # noqa: S608 -- names of our own
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def unexpected(
    cases: Iterable[Case], outcome: Callable[[Case], Outcome], expected: object
) -> dict[str, Outcome]:
    """Return the cases that have another outcome than expected, with that outcome."""
    found = {ascii(case): outcome(case) for case in cases}
    return {case: it for case, it in found.items() if it != expected}


def not_refused(
    present: Callable[[str], Any],
    claims: dict[str, Any],
    *,
    leaving_out: frozenset[str] | set[str] = frozenset(),
) -> dict[str, Any]:
    """Return the forgeries of a token that got no 401 or that changed a row.

    `present` sends a token and returns the answer; `claims` are those of a valid token.
    """
    before, wrong = rows(), {}
    for name in FORGERIES.keys() - leaving_out:
        answer = present(FORGERIES[name](claims))
        if answer.status_code != 401 or refusal_of(answer) != TOKEN_INVALID or rows() != before:
            wrong[name] = answer.content
            before = rows()
    return wrong
