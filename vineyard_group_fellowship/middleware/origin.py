"""Proof that a browser's request comes from a trusted page."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import (  # type: ignore[attr-defined]  # private functions
    CsrfViewMiddleware,
    InvalidTokenFormat,
    _check_token_format,
    _does_token_match,
)

from authentication.exceptions import CsrfFailed
from authentication.utils.client import is_browser
from vineyard_group_fellowship.problems import render

from .errors import API

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}


class OriginProofMiddleware(CsrfViewMiddleware):
    """Django's CSRF protection for pages; for the API, any one of several proofs.

    Apps need none: unlike a browser, an app does not attach credentials by itself.
    """

    def process_view(  # type: ignore[override]  # the refusal is JSON, not Django's page
        self,
        request: HttpRequest,
        callback: Callable[..., Any],
        callback_args: Any,
        callback_kwargs: Any,
    ) -> HttpResponseBase | None:
        if not request.path_info.startswith(API):
            return super().process_view(request, callback, callback_args, callback_kwargs)
        if request.method in _SAFE or not is_browser(request) or self._proves(request):
            return None
        return render(CsrfFailed(), request)

    def _proves(self, request: HttpRequest) -> bool:
        if request.META.get("HTTP_SEC_FETCH_SITE") in {"same-origin", "none"}:
            return True
        return _is_ours(request) or self._carries_token(request)

    def _origin_verified(self, request: HttpRequest) -> bool:
        # Of Django's own pages: Django compares the Host header as it was written.
        verified: bool = super()._origin_verified(request)  # type: ignore[misc]  # private
        return verified or request.META["HTTP_ORIGIN"] == _own_origin(request)

    def _carries_token(self, request: HttpRequest) -> bool:
        given = request.META.get(settings.CSRF_HEADER_NAME, "")
        try:
            _check_token_format(given)
            secret = self._get_secret(request)  # type: ignore[attr-defined]  # as above
        except InvalidTokenFormat:
            return False
        return secret is not None and _does_token_match(given, secret)


def _is_ours(request: HttpRequest) -> bool:
    origin = request.META.get("HTTP_ORIGIN", "")
    return (
        origin == _own_origin(request)
        or origin in settings.CSRF_TRUSTED_ORIGINS
        or origin in settings.CORS_ALLOWED_ORIGINS
    )


def _own_origin(request: HttpRequest) -> str | None:
    """Return the origin of the service's own pages as a browser writes it; None for a wrong Host.

    A proxy may write the default port and capitals into the Host header, a browser omits both.
    """
    scheme = request.scheme or ""
    try:
        host = request.get_host().lower()
    except DisallowedHost:
        return None
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ''))}"
