"""Bodies of the HTML pages, read whole; those of the API are read by its views."""

from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest

from authentication.api.bodies import read_body
from authentication.exceptions import MalformedRequest, PayloadTooLarge

from .errors import API


class WholeBodyMiddleware:
    """Reads the body of a form before the CSRF token is looked for in it, a chunked one too."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Read the body; Django answers what cannot be read with 400 or 413."""
        if request.path_info.startswith(API):
            return
        try:
            read_body(request, limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        except PayloadTooLarge as error:
            raise RequestDataTooBig from error
        except MalformedRequest as error:
            raise BadRequest from error
