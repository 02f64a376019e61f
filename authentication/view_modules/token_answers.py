"""Builds answers with tokens: by cookie to browsers, in the body too to apps."""

import dataclasses
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authentication.exceptions import SessionOver
from authentication.services.sessions import TokenPair, TokenService
from authentication.services.sign_in import SignedIn
from authentication.utils.client import is_browser, refresh_cookies_of
from authentication.utils.cookies import (
    clear_refresh_cookie,
    set_device_cookie,
    set_refresh_cookie,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Presented:
    """The refresh tokens of a request: one from the body, or those of the cookies."""

    tokens: tuple[str, ...]
    by_cookie: bool


def refresh_token_of(request: Request, body: Mapping[str, Any]) -> Presented:
    """Return the refresh token of the body, or else those of the cookies."""
    if token := body.get("refresh", ""):
        return Presented((token,), by_cookie=False)
    return Presented(refresh_cookies_of(request), by_cookie=True)


def new_session_answer(request: Request, signed_in: SignedIn, **fields: Any) -> Response:
    """Answer a sign-in.

    Browsers get the refresh token and the device id only by cookie, apps in the body too.
    """
    by_cookie, in_body = token_carriers(request)
    # Empty after a password change by a client that did not send its device id.
    device_id = signed_in.device_id
    if in_body and device_id:
        fields["device_id"] = device_id
    response = token_answer(signed_in.tokens, in_body=in_body, by_cookie=by_cookie, **fields)
    if by_cookie and device_id:
        set_device_cookie(response, device_id)
    return response


def device_answer(request: Request, device_id: str, **fields: Any) -> Response:
    """Answer a password reset, which makes the device known without a sign-in."""
    by_cookie, in_body = token_carriers(request)
    if in_body:
        fields["device_id"] = device_id
    response = Response(fields, headers={"Cache-Control": "no-store"})
    if by_cookie:
        set_device_cookie(response, device_id)
    return response


def token_carriers(request: Request) -> tuple[bool, bool]:
    """Return whether secrets go to a client by cookie, and whether they go in the body."""
    by_cookie: bool = settings.ENABLE_COOKIE_REFRESH_TOKEN
    return by_cookie, not by_cookie or not is_browser(request)


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


def clear_cookie_of(request: Request, response: Response, *, ended: uuid.UUID) -> None:
    """Clear the refresh cookie of a session that has ended, but not that of another live one."""
    if not TokenService.is_other_live(refresh_cookies_of(request), than=ended):
        clear_refresh_cookie(response)


class ClearsCookie(APIView):
    """A view that clears the refresh cookie if its session has ended, and on no other error."""

    presented: Presented | None = None

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, SessionOver) and self.presented and self.presented.by_cookie:
            clear_refresh_cookie(response)
        return response
