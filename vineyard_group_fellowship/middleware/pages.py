"""Middleware of the HTML pages and the admin, which requests of the API do not need."""

from typing import Any

from django.contrib.auth import middleware as authentication
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from .errors import API


class PagesOnly(MiddlewareMixin):
    """Passes a request of the API on at once: its views authenticate by token."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(API):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(PagesOnly, sessions.SessionMiddleware):
    """Django's session, for pages only."""


class AuthenticationMiddleware(PagesOnly, authentication.AuthenticationMiddleware):
    """The user of Django's session, for pages only."""


class MessageMiddleware(PagesOnly, messages.MessageMiddleware):
    """Django's messages, for pages only."""
