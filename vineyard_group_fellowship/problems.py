"""Converts exceptions to answers, as application/problem+json (RFC 9457)."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.core import exceptions as django
from django.http import Http404, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.settings import api_settings
from rest_framework.utils.encoders import JSONEncoder

from authentication import exceptions as failures
from authentication.exceptions import Problem
from authentication.services.operations import drop_lost_connections, is_database_fault
from authentication.utils.client import CORRELATION_KEY, AnyRequest
from authentication.utils.error_reports import report
from authentication.utils.faults import FAULTS

CONTENT_TYPE = "application/problem+json"

logger = structlog.get_logger(__name__)


# The first class that matches decides.
_MEANINGS: list[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem]]] = [
    (Problem, lambda error: error),
    (drf.ValidationError, lambda error: failures.ValidationFailed(errors=_by_field(error.detail))),
    ((drf.NotAuthenticated, drf.AuthenticationFailed), lambda _: failures.TokenInvalid()),
    ((drf.PermissionDenied, django.PermissionDenied), lambda _: failures.PermissionRefused()),
    ((drf.NotFound, Http404), lambda _: failures.NotFound()),
    (drf.MethodNotAllowed, lambda _: failures.MethodNotAllowed()),
    (drf.NotAcceptable, lambda _: failures.NotAcceptable()),
    (drf.UnsupportedMediaType, lambda _: failures.UnsupportedMediaType()),
    (drf.Throttled, lambda error: failures.RateLimited(retry_after=int(error.wait or 1))),
    (django.RequestDataTooBig, lambda _: failures.PayloadTooLarge()),
    (
        (
            drf.ParseError,
            django.SuspiciousOperation,
            UnreadablePostError,
            MultiPartParserError,
            django.BadRequest,
        ),
        lambda _: failures.MalformedRequest(),
    ),
    (FAULTS, lambda _: failures.ServiceUnavailable()),
]

_BY_STATUS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (
        failures.MalformedRequest,
        failures.PermissionRefused,
        failures.NotFound,
        failures.MethodNotAllowed,
        failures.RequestTimedOut,
        failures.PayloadTooLarge,
        failures.ServiceUnavailable,
    )
}


def problem_of(error: Exception) -> Problem:
    """Return the problem for an exception; an unexpected one is a 500. Log and report every 5xx."""
    problem = _meaning_of(error)
    if problem is None:
        _report("request_crashed", error)
        return failures.ServerError()
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _report("request_failed", error)
    return problem


def _meaning_of(error: Exception) -> Problem | None:
    if is_database_fault(error):
        return failures.ServiceUnavailable()
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning(error)
    return None


def problem_for_status(status: int) -> Problem:
    """Return the problem for an answer of which only the status is known."""
    return _BY_STATUS.get(status, failures.ServerError)()


def body_of(problem: Problem, request: AnyRequest) -> dict[str, Any]:
    """Return a problem's members."""
    body: dict[str, Any] = {
        "type": f"/api/problems/{problem.code}/",
        "title": str(problem.title),
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "code": problem.code,
        "error": problem.detail,
        "details": problem.errors or {api_settings.NON_FIELD_ERRORS_KEY: [problem.detail]},
        "correlation_id": request.META.get(CORRELATION_KEY, ""),
    }
    if problem.errors is not None:
        body["errors"] = problem.errors
    return {**body, **problem.members}


def answer_for(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer an exception raised in an API view: DRF's exception handler."""
    problem = problem_of(error)
    if isinstance(error, drf.MethodNotAllowed):
        problem.headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return render(problem, context["request"])


def render(problem: Problem, request: AnyRequest) -> HttpResponse:
    """Render a problem as JSON, regardless of the view's renderers."""
    body = body_of(problem, request)
    answer = HttpResponse(
        json.dumps(body, cls=JSONEncoder),
        status=problem.status,
        headers=_headers(problem),
        content_type=CONTENT_TYPE,
    )
    # REST framework's own answers have it too.
    answer.data = body  # type: ignore[attr-defined]
    return answer


def _report(event: str, error: Exception) -> None:
    logger.error(event, fault=type(error).__name__, exc_info=error)
    drop_lost_connections(error)
    report(error)


def _headers(problem: Problem) -> dict[str, str]:
    return {"Cache-Control": "no-store", **problem.headers}


def _by_field(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, dict):
        return {str(field): _messages(found) for field, found in detail.items()}
    return {api_settings.NON_FIELD_ERRORS_KEY: _messages(detail)}


def _messages(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [message for inner in found.values() for message in _messages(inner)]
    if isinstance(found, list | tuple):
        return [message for inner in found for message in _messages(inner)]
    return [str(found)]
