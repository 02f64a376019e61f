"""Django's own way to authenticate, led through the service's one door."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from authentication.exceptions import Problem
from authentication.models import User
from authentication.services.sign_in import check_code, prove_identity
from authentication.utils.client import ClientInfo


class ServiceBackend(ModelBackend):
    """Counts, locks and audits like the API, whoever in Django or a library asks (CVE-2026-7820)."""

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
        client = ClientInfo.of(request) if request else ClientInfo()
        try:
            user = prove_identity(identifier=identifier, password=password, client=client)
            User.objects.clear_attempts(user.pk)
            # A password alone must not be a way round the second factor.
            known = not user.second_factor_at or check_code(
                user, kwargs.get("otp", ""), client=client
            )
        except Problem:
            return None
        return user if known else None
