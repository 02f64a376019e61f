"""Django's authentication backend, which calls the sign-in service."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from authentication.exceptions import Problem
from authentication.models import User, with_implied
from authentication.services.sign_in import authenticate
from authentication.utils.client import ClientInfo


class ServiceBackend(ModelBackend):
    """Counts, locks and audits as the API does, for any caller in Django or a library.

    A password alone is no way round the second factor: pass `otp` (CVE-2026-7820).
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        identifier = username or kwargs.get(User.USERNAME_FIELD)
        if not identifier or password is None:
            return None
        client, otp = ClientInfo.of(request) if request else ClientInfo(), kwargs.get("otp", "")
        try:
            return authenticate(
                identifier=identifier, password=password, otp=otp, client=client
            ).user
        except Problem:
            return None

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the permissions of an account, with those that another one stands for."""
        return set(with_implied(super().get_all_permissions(user_obj, obj)))
