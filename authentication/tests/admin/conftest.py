"""Who sits at the desk."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authentication.models import User
from authentication.tests.conftest import CHROME
from authentication.tests.factories import UserFactory

Desk = Callable[[User], Client]
Clerk = Callable[..., User]


@pytest.fixture
def superuser(db: None) -> User:
    """Return somebody who may do everything."""
    return UserFactory(email="boss@example.org", username="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def clerk(db: None) -> Clerk:
    """Return a function that makes a member of staff with the permissions it is given, by their code names."""

    def make(*permissions: str) -> User:
        user = UserFactory(is_staff=True)
        found = Permission.objects.filter(codename__in=permissions)
        assert found.count() == len(set(permissions)), permissions
        user.user_permissions.set(found)
        return user

    return make


@pytest.fixture
def desk() -> Desk:
    """Return a function that seats somebody at the desk."""

    def seat(user: User) -> Client:
        client = Client(headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")
        client.force_login(user)
        return client

    return seat
