"""user.is_verified() in Django's sessions, as django-otp's middleware gives it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject


class SecondFactorMiddleware:
    """Marks the user of a Django session as verified if the account has a second factor.

    A sign-in to such an account needs a code, and a session from before the factor was set up is
    over (`User.get_session_auth_hash`). It stands in for `django_otp.middleware.OTPMiddleware`,
    which looks for devices in tables of its own. `otp_required` works with either.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        # Lazy, as Django's own user is: most requests of the API do not read it.
        request.user = SimpleLazyObject(lambda: _marked(user))  # type: ignore[assignment]
        return self.get_response(request)


def _marked(user: Any) -> Any:
    if user.is_authenticated:
        user.proven_by_factor = user.second_factor_at is not None
    else:
        user.is_verified = lambda: False
    return user
