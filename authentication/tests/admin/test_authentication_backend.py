"""django.contrib.auth.authenticate() with our backend."""

from typing import Any

import pytest
from django.conf import settings as service
from django.contrib.auth import authenticate
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.clients import WRONG_PASSWORD
from authentication.tests.factories import PASSWORD, UserFactory

from .staff import api_login_status

pytestmark = pytest.mark.django_db


class TestAuthenticationBackend:
    def test_the_service_has_one_backend(self) -> None:
        assert service.AUTHENTICATION_BACKENDS == ["authentication.api.backends.ServiceBackend"]

    @pytest.mark.parametrize("credentials", [{"username": "boss@example.org"}, {"email": "boss"}])
    def test_the_right_password_authenticates(self, superuser: User, credentials: Any) -> None:
        assert authenticate(password=PASSWORD, **credentials) == superuser

    def test_wrong_passwords_are_counted_and_audited(self, api: APIClient, superuser: User) -> None:
        for _ in range(5):
            assert authenticate(username=superuser.email, password=WRONG_PASSWORD) is None

        assert authenticate(username=superuser.email, password=PASSWORD) is None
        assert not Client().login(username=superuser.email, password=PASSWORD)
        assert api_login_status(api, superuser) == 403
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1

    def test_right_passwords_are_never_counted_as_failures(self, superuser: User) -> None:
        found = [authenticate(username=superuser.email, password=PASSWORD) for _ in range(6)]

        superuser.refresh_from_db()
        assert found == [superuser] * 6
        assert (superuser.failed_login_attempts, superuser.locked_until) == (0, None)

    def test_a_lock_of_the_api_refuses_the_right_password(
        self, api: APIClient, superuser: User
    ) -> None:
        for _ in range(5):
            api_login_status(api, superuser, WRONG_PASSWORD)

        assert authenticate(username=superuser.email, password=PASSWORD) is None

    @pytest.mark.parametrize(
        "fields", [{"email_verified": False, "email_verified_at": None}, {"is_active": False}]
    )
    def test_unverified_and_disabled_accounts_do_not_authenticate(
        self, db: None, fields: dict[str, Any]
    ) -> None:
        user = UserFactory(**fields)

        assert authenticate(username=user.email, password=PASSWORD) is None
        assert not Client().login(username=user.email, password=PASSWORD)

    @pytest.mark.parametrize(
        "credentials", [{}, {"username": "boss"}, {"password": PASSWORD}, {"username": ""}]
    )
    def test_incomplete_credentials_do_not_authenticate(
        self, superuser: User, credentials: Any
    ) -> None:
        assert authenticate(**credentials) is None

    def test_the_test_client_of_django_signs_in(self, superuser: User) -> None:
        client = Client()

        assert client.login(username=superuser.email, password=PASSWORD)
        assert client.get("/admin/").status_code == 200
