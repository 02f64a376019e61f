"""Verifying an email address."""

from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.limits import limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer
from authentication.serializers.email import (
    EmailResendSerializer,
    EmailVerifiedSerializer,
    EmailVerifySerializer,
)
from authentication.services import EmailVerificationService
from authentication.utils.client import ClientInfo

from .base import PublicView

VERIFIED = "Email verified successfully"
RESENT = "Verification email sent if account exists"


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
