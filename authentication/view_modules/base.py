"""What the views share: base classes, reading input, the recent proof."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.middleware.csrf import rotate_token
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from authentication.api.attempts import FIELDS_KEY
from authentication.api.bearer import BearerAuthentication
from authentication.api.bodies import LengthRequired, keep_body, read_body
from authentication.api.limits import count
from authentication.exceptions import PayloadTooLarge, Problem, SessionOver
from authentication.services import ReauthenticationService
from authentication.utils.client import is_browser

if TYPE_CHECKING:
    from authentication.models import User, UserSession


Handler = Callable[..., Response]
_WITH_BODY = {"POST", "PUT", "PATCH"}


class JSONNegotiation(BaseContentNegotiation):
    """Answers in JSON, whatever the client accepts (allowed by RFC 9110, section 12.1)."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return DefaultContentNegotiation().select_parser(request, parsers)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ServiceView(APIView):
    """A view of this API."""

    serializer_class: type[Serializer[Any]] | None = None
    content_negotiation_class = JSONNegotiation
    tag: str
    """The view's section in the OpenAPI document."""
    largest_body: int | None = None
    """The largest body that is read, in bytes, where it is not DATA_UPLOAD_MAX_MEMORY_SIZE."""
    body_is_optional = False
    """Whether a body that cannot be read counts as none."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read the body whole before anybody is authenticated.

        Between the check of a session and what the request does no client can pause then.
        """
        self._read_body(request)
        super().initial(request, *args, **kwargs)

    @classmethod
    def takes_body(cls, method: str) -> bool:
        """Return whether a body has a meaning for a method, so that a bad one is an error."""
        has_fields = cls.serializer_class is not None and not cls.body_is_optional
        return method in _WITH_BODY and (has_fields or cls.largest_body is not None)

    def _read_body(self, request: Request) -> None:
        plain = request._request  # noqa: SLF001 -- DRF's name
        try:
            read_body(plain, limit=self.largest_body or settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        except (PayloadTooLarge, LengthRequired):
            if self.takes_body(plain.method or ""):
                raise
            keep_body(plain, b"")

    def validated(
        self, request: Request, serializer: type[Serializer[Any]] | None = None
    ) -> dict[str, Any]:
        """Return the input in the shape of the view's serializer; raises DRF's ValidationError."""
        shape = serializer or self.serializer_class
        # Fails for a mistake in the view, never for input.
        assert shape is not None, "A view that reads input has a serializer_class."  # noqa: S101
        try:
            given = shape(data=request.data)
            self._check(request, given)
        except (Problem, APIException):
            if not self.body_is_optional:
                raise
            return {}
        return dict(given.validated_data)

    def _check(self, request: Request, given: Serializer[Any]) -> None:
        misplaced = self.misplaced_fields(request)
        if not given.is_valid():
            further = self.further_errors(request, getattr(given, "accepted", {}))
            raise ValidationError({**misplaced, **further, **given.errors})
        if misplaced:
            raise ValidationError(misplaced)

    def misplaced_fields(self, request: Request) -> dict[str, list[str]]:
        """Return errors for fields that another endpoint changes.

        Most unknown fields are ignored. These are not: the person would believe that the change was
        made.
        """
        return {}

    def further_errors(self, request: Request, accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return what the service would refuse of the valid fields of an invalid body.

        A client learns of everything that is wrong at once.
        """
        return {}

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        for name, value in request.META.get(FIELDS_KEY, {}).items():
            final[name] = value
        return final


class PublicView(ServiceView):
    """A view without authentication.

    The Authorization header is not read, because a stale token must not block the request.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)


class SignedInView(ServiceView):
    """A view for signed-in users."""

    authentication_classes = (BearerAuthentication,)
    permission_classes = (IsAuthenticated,)

    def perform_authentication(self, request: Request) -> None:
        try:
            super().perform_authentication(request)
        except SessionOver:
            # No session is left to count by: the client's address is counted.
            handler = getattr(self, (request.method or "").lower(), None)
            if limit := getattr(handler, "limit", ""):
                count(limit, request)
            raise


def user_of(request: Request) -> "User":
    """Return the signed-in user."""
    return cast("User", request.user)


def session_of(request: Request) -> "UserSession":
    """Return the session of the request."""
    return cast("UserSession", request.auth)


def renew_csrf_token(request: Request) -> None:
    """Give a browser a new CSRF token, at each sign-in and sign-out (CWE-384)."""
    if is_browser(request):
        rotate_token(request)


def needs_recent_proof(handler: Handler) -> Handler:
    """Raise ReauthenticationRequired unless the session has a recent proof.

    A stolen access token alone does no lasting harm then. Place it beneath `@limited`, so that
    refusals are counted too. The method keeps the attribute `needs_recent_proof`, which the OpenAPI
    schema reads.
    """

    @functools.wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        ReauthenticationService.require_recent(session_of(request))
        return handler(view, request, *args, **kwargs)

    guarded.needs_recent_proof = True  # type: ignore[attr-defined]
    return guarded
