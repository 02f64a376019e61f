"""Registration, sign-in, sign-out."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.bearer import bearer_token_of
from authentication.api.examples import NEW_SESSION, PASSWORD, USER, USER_ID
from authentication.api.limits import limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import (
    LoginSerializer,
    LogoutSerializer,
    MessageSerializer,
    RegisteredSerializer,
    RegisterSerializer,
    SignedInUserSerializer,
)
from authentication.serializers.tokens import SignedInSerializer
from authentication.services import AuthenticationService, RegistrationService
from authentication.utils.client import ClientInfo

from .base import PublicView, renew_csrf_token
from .token_answers import ClearsCookie, clear_cookie_of, new_session_answer, refresh_token_of

REGISTERED = _("Registration successful. Please check your email to verify your account.")
LOGGED_OUT = _("Logged out successfully")
RIGHT_PASSWORD = (
    failures.AccountDeletionPending,
    failures.AccountDisabled,
    failures.ConsentRequired,
    failures.EmailNotVerified,
    failures.MfaRequired,
)
"""Refusals of a sign-in with the right password."""


class RegisterView(PublicView):
    """Create an account.

    A mail with a link to verify the address is sent. The answer is the same whether or not the
    address has an account already; the owner of an existing account gets a mail about it. Without
    `username` one is generated. `password_confirm` is checked if it is sent.
    """

    tag = "account"
    serializer_class = RegisterSerializer

    @authentication_schema(
        "register",
        RegisteredSerializer,
        status=201,
        request={
            "email": "ruth@example.org",
            "username": "ruth",
            "password": PASSWORD,
            "first_name": "Ruth",
            "last_name": "Moab",
            "terms_accepted": True,
            "privacy_policy_accepted": True,
        },
        response={"message": REGISTERED, "user_id": USER_ID, "email": "ruth@example.org"},
        errors=(failures.ServiceUnavailable,),
    )
    @limited("register", refused_as="register_malformed")
    def post(self, request: Request) -> Response:
        account = self.validated(request)
        account["timezone_name"] = account.pop("timezone", "") or "UTC"
        registered = RegistrationService.register(**account, client=ClientInfo.of(request))
        answer = {
            "message": REGISTERED,
            "user_id": str(registered.user_id),
            "email": registered.email,
        }
        return Response(answer, status=status.HTTP_201_CREATED)

    def further_errors(self, request: Request, accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        return RegistrationService.objections(accepted)


class LoginView(PublicView):
    """Sign in.

    Send the identifier as `email_or_username`, `email` or `username`. Browsers get the refresh
    token and the device id only in httpOnly cookies, other clients also in the body, as `refresh`
    and `device_id`. With `remember_me` the session lasts twice as long between two visits. If the
    account has a second factor, send its code as `otp`. Without it the right password is answered
    with 403 `mfa_required`; send its `mfa_token` and the code to `2fa/verify/`.

    Five wrong passwords in a row lock for half an hour. A known device has signed in to the account
    before and sends its cookie, or its `device_id` as `X-Device-Id`. It is locked on its own and
    gets `account_locked`. All other devices are locked together. They get `account_locked` for the
    name that was tried and `invalid_credentials` for the other name of the account, even with the
    right password.
    """

    tag = "sign-in"
    serializer_class = LoginSerializer

    @authentication_schema(
        "login",
        SignedInSerializer,
        request={
            "email_or_username": "ruth@example.org",
            "password": PASSWORD,
            "remember_me": False,
            "device_name": "iPhone 15 Pro",
        },
        response={**NEW_SESSION, "user": USER},
        invalid={
            "email_or_username": ["This field is required."],
            "password": ["This field is required."],
        },
        errors=(
            failures.InvalidCredentials,
            failures.CodeInvalid,
            failures.AccountLocked,
            failures.EmailNotVerified,
            failures.AccountDisabled,
            failures.AccountDeletionPending,
            failures.ConsentRequired,
            failures.MfaRequired,
            failures.ServiceUnavailable,
        ),
    )
    @limited("login", gives_back=True, by_device=True, harmless=RIGHT_PASSWORD)
    def post(self, request: Request) -> Response:
        signed_in = AuthenticationService.log_in(
            **self.validated(request), client=ClientInfo.of(request), limit=attempt_of(request)
        )
        renew_csrf_token(request)
        return new_session_answer(
            request, signed_in, user=SignedInUserSerializer(signed_in.user).data
        )


class LogoutView(ClearsCookie, PublicView):
    """Sign out of this device.

    The session is that of the access token or, if that has expired, of the refresh token in the
    body or the cookie. Both tokens are revoked at once. A body that cannot be read counts as none,
    and the cookie of another session is kept.
    """

    tag = "sign-in"
    body_is_optional = True
    serializer_class = LogoutSerializer

    @authentication_schema(
        "logout",
        MessageSerializer,
        request={},
        response={"message": LOGGED_OUT},
        errors=(failures.TokenInvalid,),
        security=("bearer", "refreshCookie"),
    )
    def post(self, request: Request) -> Response:
        self.presented = refresh_token_of(request, self.validated(request))
        ended = AuthenticationService.log_out(
            access=_access_token_of(request),
            refresh=self.presented.tokens,
            client=ClientInfo.of(request),
        )
        renew_csrf_token(request)
        response = Response({"message": LOGGED_OUT})
        clear_cookie_of(request, response, ended=ended)
        return response


def _access_token_of(request: Request) -> str:
    try:
        return bearer_token_of(request)
    except failures.TokenInvalid:
        return ""
