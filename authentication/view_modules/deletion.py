"""Deleting an account."""

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.deletion import DeletionSerializer
from authentication.services import DeletionService
from authentication.utils.client import ClientInfo

from .base import SignedInView, needs_recent_proof, session_of
from .token_answers import clear_cookie_of

LEAVING = _("Your account will be deleted. Sign in before then if you change your mind.")


class AccountDeleteView(SignedInView):
    """Delete your account.

    Every device is signed out at once. Until `deletion_at`, two weeks from now, a sign-in with
    `restore` cancels the deletion. After that your personal data is erased. The only superuser
    cannot leave before someone else is one.
    """

    tag = "personal data"

    @authentication_schema(
        "account_delete",
        DeletionSerializer,
        response={"message": LEAVING, "deletion_at": "2026-12-06T15:30:00Z"},
        errors=(failures.PermissionRefused,),
    )
    @limited("account_data", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        due_at = DeletionService.request(session_of(request), client=ClientInfo.of(request))
        response = Response(DeletionSerializer({"message": LEAVING, "deletion_at": due_at}).data)
        clear_cookie_of(request, response, ended=session_of(request).pk)
        return response
