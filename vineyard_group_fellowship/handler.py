"""Django's WSGI handler, hardened against headers that fail before any middleware runs."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

_LONGEST_CONTENT_TYPE = 1024


class ServiceRequest(WSGIRequest):
    """A request that is always read as UTF-8; the API's parsers refuse another `charset`.

    Django takes any codec of Python from `charset=`, even bz2, and decodes the query with it at
    once.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        # Reading its parameters takes quadratic time.
        if len(meta.get("CONTENT_TYPE", "")) > _LONGEST_CONTENT_TYPE:
            meta["CONTENT_TYPE"] = "application/octet-stream"
        try:
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )
        except (LookupError, ValueError):
            meta["CONTENT_TYPE"] = self.content_type = "application/octet-stream"
            self.content_params = {}


class ServiceHandler(WSGIHandler):
    """Django's handler with ServiceRequest."""

    request_class = ServiceRequest
