"""Proving the identity again in a session."""

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.reauthentication import (
    ReauthenticatedSerializer,
    ReauthenticateSerializer,
)
from authentication.services import ReauthenticationService
from authentication.utils.client import ClientInfo

from .base import SignedInView, session_of

PROVEN = _("Thank you. You can go on.")


class ReauthenticateView(SignedInView):
    """Confirm that it is you.

    Sensitive operations answer 403 `reauthentication_required` if the last proof is older than ten
    minutes. Repeat them after this call. Signing in by password is a proof too, refreshing tokens
    is not. Send a code as `otp` if the account has a second factor, otherwise the `password`. Five
    wrong ones lock this session for an hour; a new sign-in is a proof too.
    """

    tag = "sign-in"
    serializer_class = ReauthenticateSerializer

    @authentication_schema(
        "reauthenticate",
        ReauthenticatedSerializer,
        request={"password": "<your password>"},
        response={"message": PROVEN, "expires_in": 600},
        errors=(failures.AccountLocked, failures.ServiceUnavailable),
        invalid={"password": ["Please give your password."]},
    )
    @limited("reauthenticate", key=by_session, gives_back=True)
    def post(self, request: Request) -> Response:
        ReauthenticationService.prove(
            session_of(request), **self.validated(request), client=ClientInfo.of(request)
        )
        lasts = int(settings.REAUTHENTICATION_LIFETIME.total_seconds())
        return Response({"message": PROVEN, "expires_in": lasts})
