"""Django's way into the service, hardened where a request's headers could stop it before any middleware runs."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class ServiceRequest(WSGIRequest):
    """A request that is read in UTF-8 whatever it says of itself; the API's parsers refuse what says otherwise.

    Django takes any encoding Python knows from `charset=`, bz2 among them, and decodes the query
    with it at once.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(
                meta.get("CONTENT_TYPE", "")
            )
        except (LookupError, ValueError):
            meta["CONTENT_TYPE"] = self.content_type = "application/octet-stream"
            self.content_params = {}


class ServiceHandler(WSGIHandler):
    """Django's handler, with our request."""

    request_class = ServiceRequest
