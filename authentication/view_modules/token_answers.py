"""How tokens travel: by cookie to browsers, in the body and by cookie to apps (contract 1)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authentication.exceptions import SessionOver
from authentication.services.sessions import TokenPair
from authentication.utils.client import is_browser
from authentication.utils.cookies import clear_refresh_cookie, refresh_cookie_of, set_refresh_cookie


@dataclasses.dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token as it came: in the body, by cookie, or not at all."""

    token: str
    by_cookie: bool


def refresh_token_of(request: Request, body: Mapping[str, Any]) -> Presented:
    """Return the refresh token of the body or else of the cookie."""
    if token := body.get("refresh", ""):
        return Presented(token, by_cookie=False)
    return Presented(refresh_cookie_of(request), by_cookie=True)


def new_session_answer(request: Request, tokens: TokenPair, **facts: Any) -> Response:
    """Answer a sign-in: a browser's refresh token goes into its cookie alone, an app's into the body too."""
    in_body = not settings.ENABLE_COOKIE_REFRESH_TOKEN or not is_browser(request)
    return token_answer(
        tokens, in_body=in_body, by_cookie=settings.ENABLE_COOKIE_REFRESH_TOKEN, **facts
    )


def token_answer(tokens: TokenPair, *, in_body: bool, by_cookie: bool, **facts: Any) -> Response:
    """Answer with tokens, which no cache may keep."""
    body = {
        "access_token": tokens.access,
        "access": tokens.access,
        "expires_in": tokens.expires_in,
        "token_type": "Bearer",
        **({"refresh": tokens.refresh} if in_body else {}),
        **facts,
    }
    response = Response(body, headers={"Cache-Control": "no-store"})
    if by_cookie:
        set_refresh_cookie(response, tokens.refresh)
    return response


class ClearsCookie(APIView):
    """A view that takes the refresh cookie back when the session it stands for is over for good, and only then."""

    presented: Presented | None = None

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, SessionOver) and self.presented and self.presented.by_cookie:
            clear_refresh_cookie(response)
        return response
