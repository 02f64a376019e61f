"""The correlation id of a request, in every log line, answer and error."""

import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from authentication.utils.client import CORRELATION_KEY, LOG_FIELDS_KEY, client_address

HEADER = "X-Correlation-ID"
_PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")


class CorrelationIdMiddleware:
    """Takes the client's id if it is short and plain, else creates one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_CORRELATION_ID", "")
        correlation_id = given if _PLAIN.fullmatch(given) else uuid.uuid4().hex
        request.META[CORRELATION_KEY] = correlation_id
        address = client_address(request.META)
        # One dictionary for the whole request: later steps add to it, such as the user.
        facts = request.META[LOG_FIELDS_KEY] = {"address": str(address) if address else None}
        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id, request=facts):
            response = self.get_response(request)
        response[HEADER] = correlation_id
        return response

    def process_view(self, request: HttpRequest, view: object, *_: object) -> None:
        """Note the route's name as the action; a path would contain ids."""
        match = request.resolver_match
        request.META[LOG_FIELDS_KEY]["action"] = match.view_name if match else None
