"""The cookies of the refresh token, a known device and a language, with the same attributes."""

from django.conf import settings
from django.http.response import HttpResponseBase

from .client import DEVICE_COOKIE


def set_refresh_cookie(response: HttpResponseBase, token: str) -> None:
    """Store a refresh token with the client, where no script reads it."""
    name, age = settings.REFRESH_TOKEN_COOKIE_NAME, settings.REFRESH_TOKEN_COOKIE_MAX_AGE
    _set(response, name, token, max_age=age)


def set_device_cookie(response: HttpResponseBase, device_id: str) -> None:
    """Store with the client what its device is known by; it outlives a sign-out."""
    _set(
        response, DEVICE_COOKIE, device_id, max_age=int(settings.DEVICE_COOKIE_AGE.total_seconds())
    )


def clear_refresh_cookie(response: HttpResponseBase) -> None:
    """Clear the cookie; a browser keeps one whose attributes differ from those it was set with."""
    _clear(response, settings.REFRESH_TOKEN_COOKIE_NAME)


def set_language_cookie(response: HttpResponseBase, language: str) -> None:
    """Store with the browser the language of its person, for pages that do not know the person."""
    age = int(settings.DEVICE_COOKIE_AGE.total_seconds())
    _set(response, settings.LANGUAGE_COOKIE_NAME, language, max_age=age)


def clear_language_cookie(response: HttpResponseBase) -> None:
    """Clear the cookie of a language."""
    _clear(response, settings.LANGUAGE_COOKIE_NAME)


def _clear(response: HttpResponseBase, name: str) -> None:
    _set(response, name, "", max_age=0)
    response.cookies[name]["expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"


def _set(response: HttpResponseBase, name: str, value: str, *, max_age: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=settings.REFRESH_TOKEN_COOKIE_PATH,
        domain=settings.REFRESH_TOKEN_COOKIE_DOMAIN,
        secure=settings.REFRESH_TOKEN_COOKIE_SECURE,
        httponly=settings.REFRESH_TOKEN_COOKIE_HTTPONLY,
        samesite=settings.REFRESH_TOKEN_COOKIE_SAMESITE,  # type: ignore[arg-type]  # one of three
    )
