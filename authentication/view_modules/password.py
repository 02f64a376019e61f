"""Changing and resetting a password."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.examples import NEW_SESSION
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer
from authentication.serializers.password import (
    PasswordChangedSerializer,
    PasswordChangeSerializer,
    PasswordResetConfirmSerializer,
    PasswordResetDoneSerializer,
    PasswordResetSerializer,
)
from authentication.services import PasswordService
from authentication.utils.client import ClientInfo

from .base import PublicView, SignedInView, renew_csrf_token, session_of, user_of
from .token_answers import device_answer, new_session_answer

CHANGED = _("Password changed successfully")
RESET_SENT = _("Password reset email sent if account exists")
RESET = _("Password reset successfully")


class PasswordChangeView(SignedInView):
    """Change your password.

    Every older token is revoked and every other device is signed out. The answer has new tokens for
    this device. A change of address that is not confirmed yet is cancelled. Five wrong values of
    `old_password` lock this session for an hour; a reset or a new sign-in goes on working.
    """

    tag = "password"
    serializer_class = PasswordChangeSerializer

    @authentication_schema(
        "password_change",
        PasswordChangedSerializer,
        request={
            "old_password": "<the password now>",
            "new_password": "<another one>",
            "new_password_confirm": "<the same>",
        },
        response={"message": CHANGED, **NEW_SESSION},
        errors=(failures.AccountLocked, failures.ServiceUnavailable),
    )
    @limited("password_change", key=by_session)
    def post(self, request: Request) -> Response:
        signed_in = PasswordService.change(
            session=session_of(request), **self.validated(request), client=ClientInfo.of(request)
        )
        renew_csrf_token(request)
        return new_session_answer(request, signed_in, message=CHANGED)

    def further_errors(self, request: Request, accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        password = accepted.get("new_password")
        return PasswordService.weaknesses(password, user_of(request), field="new_password")


class PasswordResetView(PublicView):
    """Ask for a link to choose a new password.

    The answer is the same for every address. An address gets three of these mails an hour at most.
    """

    tag = "password"
    serializer_class = PasswordResetSerializer

    @authentication_schema(
        "password_reset",
        MessageSerializer,
        request={"email": "ruth@example.org"},
        response={"message": RESET_SENT},
    )
    @limited("password_reset", by_device=True)
    def post(self, request: Request) -> Response:
        PasswordService.request_reset(
            email=self.validated(request)["email"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return Response({"message": RESET_SENT})


class PasswordResetConfirmView(PublicView):
    """Choose a new password with the token from the mail.

    Every device is signed out, and a change of address that is not confirmed yet is cancelled. This
    device becomes a known device, without a lock; all others become unknown. A password that breaks
    the rules does not use up the token.
    """

    tag = "password"
    serializer_class = PasswordResetConfirmSerializer

    @authentication_schema(
        "password_reset_confirm",
        PasswordResetDoneSerializer,
        request={"token": "<from the mail>", "new_password": "<a strong password>"},
        response={"message": RESET, "device_id": NEW_SESSION["device_id"]},
        errors=(failures.LinkInvalid, failures.ServiceUnavailable),
    )
    @limited("password_reset_confirm", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        device_id = PasswordService.reset(
            **self.validated(request), client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return device_answer(request, device_id, message=RESET)

    def further_errors(self, request: Request, accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        return PasswordService.weaknesses(accepted.get("new_password"), field="new_password")
