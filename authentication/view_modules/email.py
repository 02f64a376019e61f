"""Verifying an email address, and correcting one that was mistyped."""

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.limits import limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer
from authentication.serializers.email import (
    EmailCorrectSerializer,
    EmailResendSerializer,
    EmailVerifiedSerializer,
    EmailVerifySerializer,
)
from authentication.services import EmailVerificationService
from authentication.utils.client import ClientInfo

from .base import PublicView

VERIFIED = _("Email verified successfully")
RESENT = _("Verification email sent if account exists")
CORRECTED = _("Verification email sent to the new address")


class EmailVerifyView(PublicView):
    """Verify an email address with the token from the mail.

    The token works once. The answer has an exchange token, which signs the user in without a
    password for one minute.
    """

    tag = "account"
    serializer_class = EmailVerifySerializer

    @authentication_schema(
        "email_verify",
        EmailVerifiedSerializer,
        request={"token": "<from the mail>"},
        response={"message": VERIFIED, "exchange_token": "<good for a minute>"},
        errors=(failures.LinkInvalid,),
    )
    @limited("email_verify", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        token = self.validated(request)["token"]
        exchange_token = EmailVerificationService.verify(
            token=token, client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return Response({"message": VERIFIED, "exchange_token": exchange_token})


class EmailResendView(PublicView):
    """Send the verification mail again.

    The answer is the same for every address. An address gets three of these mails an hour at most.
    """

    tag = "account"
    serializer_class = EmailResendSerializer

    @authentication_schema(
        "email_resend",
        MessageSerializer,
        request={"email": "ruth@example.org"},
        response={"message": RESENT},
    )
    @limited("email_resend", by_device=True)
    def post(self, request: Request) -> Response:
        EmailVerificationService.resend(
            email=self.validated(request)["email"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return Response({"message": RESENT})


class EmailCorrectView(PublicView):
    """Correct the address of an account that has not verified it.

    For a typing mistake at the registration. Send the identifier as `identifier`,
    `email_or_username`, `email` or `username`, with the account's password. A new link is mailed to
    the new address, and older links stop working. The answer is the same for every new address. A
    wrong password counts as a failed sign-in. An account with a verified address gets a 403.
    """

    tag = "account"
    serializer_class = EmailCorrectSerializer

    @authentication_schema(
        "email_correct",
        MessageSerializer,
        request={
            "identifier": "ruth",
            "password": "<her password>",
            "new_email": "ruth@example.org",
        },
        response={"message": CORRECTED},
        errors=(
            failures.InvalidCredentials,
            failures.AccountLocked,
            failures.AccountDisabled,
            failures.PermissionRefused,
            failures.ServiceUnavailable,
        ),
    )
    @limited("email_correct")
    def post(self, request: Request) -> Response:
        EmailVerificationService.correct(**self.validated(request), client=ClientInfo.of(request))
        return Response({"message": CORRECTED})
