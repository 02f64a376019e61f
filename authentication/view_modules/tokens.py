"""Access tokens and refresh tokens."""

import contextlib
from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.examples import NEW_SESSION, TOKENS, USER_ID
from authentication.api.limits import by_address, count, limited, session_key
from authentication.api.schema import authentication_schema
from authentication.serializers.tokens import (
    ExchangedSerializer,
    ExchangeTokenSerializer,
    TokenPairSerializer,
    TokenRefreshSerializer,
    TokenVerifySerializer,
)
from authentication.services import ExchangeTokenService, TokenService
from authentication.utils.client import ClientInfo
from authentication.utils.tokens import Claims, InvalidToken, RefreshToken

from .base import PublicView, renew_csrf_token
from .token_answers import ClearsCookie, new_session_answer, refresh_token_of, token_answer

RIGHT_TOKEN = (
    failures.AccountDeletionPending,
    failures.ConsentRequired,
    failures.MfaRequired,
)
"""Refusals of an exchange with the right token."""


def refresh_token_session(request: Request) -> str:
    """Count by the session of a genuine refresh token, other calls by the client's address."""
    try:
        body = cast("Mapping[str, Any]", request.data).get("refresh")
    except (failures.Problem, APIException):
        # The body is parsed before the call is counted: a body that cannot be counts here.
        count("token_refresh", request)
        raise
    presented = refresh_token_of(request, {"refresh": body} if isinstance(body, str) else {})
    for token in presented.tokens:
        with contextlib.suppress(InvalidToken):
            return session_key(Claims.read(RefreshToken, token).session_id)
    return by_address(request)


class TokenRefreshView(ClearsCookie, PublicView):
    """Exchange a refresh token for a new pair of tokens.

    The token is taken from the body, or else from the cookie. The new one is returned in the same
    way. A token works once. A second use ends the session, except right after the first use (two
    tabs) or while the new token is unused (a lost answer): then the same new token is returned.
    """

    tag = "tokens"
    serializer_class = TokenRefreshSerializer

    @authentication_schema(
        "token_refresh",
        TokenPairSerializer,
        request={"refresh": TOKENS["refresh"]},
        response=TOKENS,
        errors=(failures.TokenInvalid,),
        invalid={"refresh": ["Not a valid string."]},
        security=("refreshCookie",),
    )
    @limited("token_refresh", key=refresh_token_session)
    def post(self, request: Request) -> Response:
        self.presented = refresh_token_of(request, self.validated(request))
        tokens, client = self.presented.tokens, ClientInfo.of(request)
        try:
            pair = TokenService.rotate_one_of(tokens, client=client)
        except failures.SessionOver:
            attempt_of(request).move(by_address(request))
            raise
        return token_answer(
            pair, in_body=not self.presented.by_cookie, by_cookie=self.presented.by_cookie
        )


class TokenVerifyView(PublicView):
    """Check an access token.

    The answer is an empty object if the token would be accepted now. It is 401 for anything else,
    including a refresh token or no token.
    """

    tag = "tokens"
    serializer_class = TokenVerifySerializer

    @authentication_schema(
        "token_verify",
        OpenApiTypes.OBJECT,
        request={"token": TOKENS["access"]},
        response={},
        errors=(failures.TokenInvalid,),
        invalid={"token": ["Not a valid string."]},
    )
    @limited("token_verify", only_failures=True)
    def post(self, request: Request) -> Response:
        TokenService.authenticate(access=self.validated(request).get("token", ""))
        return Response({})


class ExchangeTokenView(PublicView):
    """Sign in with the exchange token of a verified address.

    The token works once, for one minute, on any device. If the account has a second factor, its
    code is needed as at sign-in.
    """

    tag = "tokens"
    serializer_class = ExchangeTokenSerializer

    @authentication_schema(
        "exchange_token",
        ExchangedSerializer,
        request={"exchange_token": "<from email/verify>"},
        response={
            **NEW_SESSION,
            "user_id": USER_ID,
            "email": "ruth@example.org",
            "first_login": True,
            "message": "Token exchange successful",
        },
        errors=(
            failures.LinkInvalid,
            failures.MfaRequired,
            failures.AccountDeletionPending,
            failures.ConsentRequired,
            failures.ServiceUnavailable,
        ),
    )
    @limited("exchange_token", gives_back=True, harmless=RIGHT_TOKEN)
    def post(self, request: Request) -> Response:
        signed_in = ExchangeTokenService.redeem(
            **self.validated(request), client=ClientInfo.of(request)
        )
        renew_csrf_token(request)
        return new_session_answer(
            request,
            signed_in,
            user_id=str(signed_in.user.pk),
            email=signed_in.user.email,
            first_login=signed_in.is_first,
            message="Token exchange successful",
        )
