"""The refresh token cookie."""

from django.conf import settings
from django.http.response import HttpResponseBase

from .client import AnyRequest


def refresh_cookie_of(request: AnyRequest) -> str:
    """Return the refresh token in the cookie of a request, or an empty string."""
    return (
        request.COOKIES.get(settings.REFRESH_TOKEN_COOKIE_NAME, "")
        if settings.ENABLE_COOKIE_REFRESH_TOKEN
        else ""
    )


def set_refresh_cookie(response: HttpResponseBase, token: str) -> None:
    """Store a refresh token in an HttpOnly cookie, which scripts cannot read."""
    response.set_cookie(
        settings.REFRESH_TOKEN_COOKIE_NAME,
        token,
        max_age=settings.REFRESH_TOKEN_COOKIE_MAX_AGE,
        path=settings.REFRESH_TOKEN_COOKIE_PATH,
        domain=settings.REFRESH_TOKEN_COOKIE_DOMAIN,
        secure=settings.REFRESH_TOKEN_COOKIE_SECURE,
        httponly=settings.REFRESH_TOKEN_COOKIE_HTTPONLY,
        samesite=settings.REFRESH_TOKEN_COOKIE_SAMESITE,  # type: ignore[arg-type]  # one of three
    )


def clear_refresh_cookie(response: HttpResponseBase) -> None:
    """Delete the refresh token cookie.

    Browsers delete a cookie only if path and domain are those it was set with.
    """
    set_refresh_cookie(response, "")
    cookie = response.cookies[settings.REFRESH_TOKEN_COOKIE_NAME]
    cookie["max-age"] = 0
    cookie["expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"
