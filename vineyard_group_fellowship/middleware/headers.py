"""Security headers that Django has no setting for, and the content security policies."""

from collections.abc import Callable

from csp.constants import HEADER as CSP_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from authentication.utils.client_hints import ON_REQUEST

from .errors import API

_PRIVATE = (API, "/account/", "/admin/")


class SecurityHeadersMiddleware:
    """Adds the headers to every answer; the policies are built once, at the start."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._policy = build_policy(config=settings.CONTENT_SECURITY_POLICY["DIRECTIVES"])
        self._policies = {
            prefix: build_policy(config=directives)
            for prefix, directives in settings.CONTENT_SECURITY_POLICIES.items()
        }
        self._front_end = build_policy(config=settings.FRONT_END_POLICY)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        path = request.path_info
        headers = response.headers
        headers[CSP_HEADER] = self._policy_of(response, path)
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        # The filters of old browsers could be abused against a page; the CSP replaces them.
        headers["X-XSS-Protection"] = "0"
        if path.startswith(API):
            headers["Referrer-Policy"] = "no-referrer"
        # Browsers obey it in the answer to a navigation only, not in answers to scripts.
        if request.META.get("HTTP_SEC_FETCH_MODE") == "navigate":
            headers["Accept-CH"] = ", ".join(ON_REQUEST)
        if path.startswith(_PRIVATE):
            headers.setdefault("Cache-Control", "no-store")
        return response

    def _policy_of(self, response: HttpResponse, path: str) -> str:
        if getattr(response, "is_front_end", False):
            return self._front_end
        found = (it for prefix, it in self._policies.items() if path.startswith(prefix))
        return next(found, self._policy)
