"""Changing the email address of an account."""

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer
from authentication.serializers.email_change import (
    EmailChangeSerializer,
    EmailChangeTokenSerializer,
    EmailStateSerializer,
    EmailUndoneSerializer,
)
from authentication.services import ChangeUndoService, EmailChangeService
from authentication.utils.client import ClientInfo

from .base import PublicView, SignedInView, needs_recent_proof, session_of, user_of

CHANGED = _("Your email address was changed.")
UNDONE = _("Your old email address is back. Please choose a new password now.")
CHANGE_UNDONE = _("The change is undone. If it was not you, please choose a new password now.")
_PENDING = {
    "email": "ruth@example.org",
    "pending": {"email": "ruth@example.net", "requested_at": "2026-11-22T15:30:00Z"},
}


class AccountEmailView(SignedInView):
    """The address of your account."""

    tag = "account"
    serializer_class = EmailChangeSerializer

    @authentication_schema("account_email", EmailStateSerializer, response=_PENDING)
    def get(self, request: Request) -> Response:
        """Show the address of your account, and the new one that is not confirmed yet."""
        return self._state(request)

    @authentication_schema(
        "account_email_change",
        EmailStateSerializer,
        request={"email": "ruth@example.net"},
        response=_PENDING,
    )
    @limited("email_change", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        """Change to another address.

        The new address gets a link. Until the change is confirmed with it, the old address stays in
        use. The old address gets a notice with a link that undoes the change for seven days. The
        answer is the same for every address.
        """
        email = self.validated(request)["email"]
        EmailChangeService.request(session_of(request), email=email, client=ClientInfo.of(request))
        return self._state(request)

    @authentication_schema(
        "account_email_cancel",
        EmailStateSerializer,
        response={"email": "ruth@example.org", "pending": None},
    )
    def delete(self, request: Request) -> Response:
        """Cancel the change of address.

        The link that was sent to the new address stops working.
        """
        EmailChangeService.cancel(session_of(request), client=ClientInfo.of(request))
        return self._state(request)

    @staticmethod
    def _state(request: Request) -> Response:
        user = user_of(request)
        state = {"email": user.email, "pending": EmailChangeService.pending(user)}
        return Response(EmailStateSerializer(state).data)


class EmailChangeConfirmView(PublicView):
    """Confirm a new address with the token from the mail."""

    tag = "account"
    serializer_class = EmailChangeTokenSerializer

    @authentication_schema(
        "account_email_confirm",
        MessageSerializer,
        request={"token": "<from the mail>"},
        response={"message": CHANGED},
        errors=(failures.LinkInvalid,),
    )
    @limited("email_verify", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        EmailChangeService.confirm(
            token=self.validated(request)["token"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return Response({"message": CHANGED})


class EmailChangeUndoView(PublicView):
    """Undo a change of address with the token from the mail to the old one.

    The old address is restored and every device is signed out. A deletion, a second factor, a
    username and mails turned off since then are taken back too. The answer has a token to choose a
    new password with.
    """

    tag = "account"
    serializer_class = EmailChangeTokenSerializer

    @authentication_schema(
        "account_email_undo",
        EmailUndoneSerializer,
        request={"token": "<from the mail>"},
        response={"message": UNDONE, "reset_token": "<good for an hour>"},
        errors=(failures.LinkInvalid,),
    )
    @limited("email_undo", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        reset_token = EmailChangeService.undo(
            token=self.validated(request)["token"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return Response({"message": UNDONE, "reset_token": reset_token})


class ChangeUndoView(PublicView):
    """Undo a deletion, a second factor, a username or mails turned off, with the mailed token.

    The device that made the change is signed out. The answer has a token to choose a new password
    with.
    """

    tag = "account"
    serializer_class = EmailChangeTokenSerializer

    @authentication_schema(
        "account_change_undo",
        EmailUndoneSerializer,
        request={"token": "<from the mail>"},
        response={"message": CHANGE_UNDONE, "reset_token": "<good for an hour>"},
        errors=(failures.LinkInvalid,),
    )
    @limited("session_disown", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        reset_token = ChangeUndoService.undo(
            token=self.validated(request)["token"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return Response({"message": CHANGE_UNDONE, "reset_token": reset_token})
