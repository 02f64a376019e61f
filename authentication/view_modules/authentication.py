"""Registration, sign-in, sign-out."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.bearer import bearer_token_of
from authentication.api.examples import NEW_SESSION, USER, USER_ID
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
from authentication.utils.cookies import clear_refresh_cookie

from .base import PublicView, renew_csrf_token
from .token_answers import ClearsCookie, new_session_answer, refresh_token_of

REGISTERED = "Registration successful. Please check your email to verify your account."
LOGGED_OUT = "Logged out successfully"


class RegisterView(PublicView):
    """Create an account.

    A link that proves the address goes there by mail. The answer is the same whether or not the
    address has an account already; its owner is told by mail. Without `username` one is made up;
    `password_confirm` is checked when it is sent.
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
            "password": "<a strong password>",
            "first_name": "Ruth",
            "last_name": "Moab",
            "terms_accepted": True,
            "privacy_policy_accepted": True,
        },
        response={"message": REGISTERED, "user_id": USER_ID, "email": "ruth@example.org"},
        errors=(failures.ServiceUnavailable,),
    )
    @limited("register")
    def post(self, request: Request) -> Response:
        account = self.validated(request)
        account["timezone_name"] = account.pop("timezone", "UTC")
        registered = RegistrationService.register(**account, client=ClientInfo.of(request))
        answer = {
            "message": REGISTERED,
            "user_id": str(registered.user_id),
            "email": registered.email,
        }
        return Response(answer, status=status.HTTP_201_CREATED)


class LoginView(PublicView):
    """Sign in.

    The identifier goes into `email_or_username`, `email` or `username`. A browser gets its refresh
    token in an httpOnly cookie alone, any other client in the body as `refresh` too. With
    `remember_me` the session lives twice as long between two visits. Where an account has a second
    factor, its code goes into `otp`; without one the right password is answered with 403
    `mfa_required`, whose `mfa_token` goes to `2fa/verify/` with the code.

    Five wrong passwords in a row lock an account for half an hour, under both its names. On a
    network where its owner has signed in, set a password or confirmed the address within thirty
    days, the answer is then `account_locked`. Elsewhere it is that for the name that was tried, and
    `invalid_credentials` for the other one, even with the right password.
    """

    tag = "sign-in"
    serializer_class = LoginSerializer

    @authentication_schema(
        "login",
        SignedInSerializer,
        request={
            "email_or_username": "ruth@example.org",
            "password": "<her password>",
            "remember_me": False,
            "device_name": "iPhone 15 Pro",
        },
        response={**NEW_SESSION, "user": USER},
        errors=(
            failures.InvalidCredentials,
            failures.AccountLocked,
            failures.EmailNotVerified,
            failures.AccountDisabled,
            failures.AccountDeletionPending,
            failures.ConsentRequired,
            failures.MfaRequired,
            failures.ServiceUnavailable,
        ),
    )
    @limited("login")
    def post(self, request: Request) -> Response:
        signed_in = AuthenticationService.log_in(
            **self.validated(request), client=ClientInfo.of(request)
        )
        renew_csrf_token(request)
        return new_session_answer(
            request, signed_in, user=SignedInUserSerializer(signed_in.user).data
        )


class LogoutView(ClearsCookie, PublicView):
    """Sign out of this device.

    The session is told by a live access token or, when that has expired, by the refresh token in
    the body or the cookie. Both tokens are dead at once.
    """

    tag = "sign-in"
    serializer_class = LogoutSerializer

    @authentication_schema(
        "logout",
        MessageSerializer,
        request={},
        response={"message": LOGGED_OUT},
        errors=(failures.TokenInvalid,),
        invalid={"refresh": ["Not a valid string."]},
        security=("bearer", "refreshCookie"),
    )
    def post(self, request: Request) -> Response:
        self.presented = refresh_token_of(request, self.validated(request))
        AuthenticationService.log_out(
            access=_access_token_of(request),
            refresh=self.presented.token,
            client=ClientInfo.of(request),
        )
        renew_csrf_token(request)
        response = Response({"message": LOGGED_OUT})
        clear_refresh_cookie(response)
        return response


def _access_token_of(request: Request) -> str:
    try:
        return bearer_token_of(request)
    except failures.TokenInvalid:
        return ""
