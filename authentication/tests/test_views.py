"""The specification's example tests of the endpoints; the others are in api/."""

import pytest
from rest_framework.test import APIClient

from authentication.tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.security]

LOGIN = "/api/v1/auth/login/"


def test_successful_login() -> None:
    user = UserFactory(email="test@example.com")
    user.set_password("Password123!")
    user.save()

    answer = APIClient().post(LOGIN, {"email": "test@example.com", "password": "Password123!"})

    assert answer.status_code == 200
    assert "access" in answer.data
    assert "refresh_token" in answer.cookies


def test_login_rate_limiting() -> None:
    client = APIClient()

    statuses = [
        client.post(LOGIN, {"email": "test@example.com", "password": "wrong"}).status_code
        for _ in range(26)
    ]

    assert 429 not in statuses[:25]
    assert statuses[25] == 429
