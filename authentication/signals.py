"""What a sign-in stores in Django's session."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

PROVEN_FACTOR_KEY = "proven_factor"
"""The key in Django's session of the second factor that proved it: when it was set up."""


@receiver(user_logged_in)
def store_proven_factor(request: HttpRequest, user: Any, **_: Any) -> None:
    """Note in the session that a code was given for it, so that later requests know."""
    if user.proven_by_factor:
        request.session[PROVEN_FACTOR_KEY] = user.second_factor_at.isoformat()
