"""Answers every error under /api/ as JSON."""

from collections.abc import Callable
from http import HTTPStatus

from csp.constants import HEADER as CSP_HEADER
from django.http import HttpRequest, HttpResponse

from vineyard_group_fellowship.problems import (
    CONTENT_TYPE,
    problem_for_status,
    problem_of,
    render,
)

API = "/api/"


class ErrorFormatMiddleware:
    """Replaces the HTML with which Django refuses a request before a view, as for a wrong host."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or not request.path_info.startswith(API):
            return response
        if response.get("Content-Type", "").startswith(("application/json", CONTENT_TYPE)):
            return response
        answer = render(problem_for_status(response.status_code), request)
        for name, value in response.headers.items():
            if not name.lower().startswith("content-") or name == CSP_HEADER:
                answer.headers.setdefault(name, value)
        return answer


class ErrorHandlingMiddleware:
    """Answers exceptions under /api/ that DRF does not catch."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer an exception under /api/; Django answers the others."""
        return render(problem_of(exception), request) if request.path_info.startswith(API) else None
