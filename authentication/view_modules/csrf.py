"""The CSRF token, for pages that cannot read the cookie."""

from django.middleware.csrf import get_token
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.limits import limited
from authentication.api.schema import authentication_schema
from authentication.serializers.health import CsrfTokenSerializer

from .base import PublicView


class CsrfTokenView(PublicView):
    """Get a CSRF token.

    Send it as `X-CSRFToken`, with the cookie of the same answer. Pages on a trusted origin need
    none.
    """

    tag = "sign-in"

    @authentication_schema("csrf", CsrfTokenSerializer, response={"csrfToken": "<64 characters>"})
    @limited("csrf")
    def get(self, request: Request) -> Response:
        return Response({"csrfToken": get_token(request)})
