"""user.is_verified() in Django's sessions, as django-otp's middleware gives it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from authentication.signals import PROVEN_FACTOR_KEY

from .errors import API


class SecondFactorMiddleware:
    """Marks the user of a Django session as verified if a code of the second factor was given.

    It stands in for `django_otp.middleware.OTPMiddleware`, which looks for devices in tables of its
    own. `otp_required` works with either.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(API):
            return self.get_response(request)
        user = request.user
        # Lazy, as Django's own user is: not every page reads it.
        request.user = SimpleLazyObject(lambda: _marked(user, request))  # type: ignore[assignment]
        return self.get_response(request)


def _marked(user: Any, request: HttpRequest) -> Any:
    if not user.is_authenticated:
        user.is_verified = lambda: False
    elif user.second_factor_at:
        proven = request.session.get(PROVEN_FACTOR_KEY)
        user.proven_by_factor = proven == user.second_factor_at.isoformat()
    return user
