"""Staff and their browsers."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from authentication.models import User
from authentication.tests.conftest import CHROME
from authentication.tests.factories import UserFactory

from .staff import ADDRESS, ClientOf, MakeStaff
from .tables import OWN_TABLES


@pytest.fixture
def superuser(db: None) -> User:
    """Return a superuser."""
    return UserFactory(email="boss@example.org", username="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def make_staff(db: None) -> MakeStaff:
    """Return a function that makes a member of staff with permissions, given by code name."""

    def make(*permissions: str) -> User:
        user = UserFactory(is_staff=True)
        found = Permission.objects.filter(codename__in=permissions)
        assert found.count() == len(set(permissions)), permissions
        user.user_permissions.set(found)
        return user

    return make


@pytest.fixture
def client_of() -> ClientOf:
    """Return a function that signs a user in to the admin."""

    def client_for(user: User) -> Client:
        client = Client(headers={"User-Agent": CHROME}, REMOTE_ADDR=ADDRESS)
        client.force_login(user)
        return client

    return client_for


@pytest.fixture
def superuser_client(client_of: ClientOf, superuser: User) -> Client:
    """Return the browser of a superuser who is signed in to the admin."""
    return client_of(superuser)


@pytest.fixture
def account_editor(make_staff: MakeStaff) -> User:
    """Return a member of staff with every permission that concerns accounts and groups."""
    return make_staff(
        "view_user",
        "add_user",
        "change_user",
        "delete_user",
        "change_group",
        "add_group",
        "view_group",
    )


@pytest.fixture
def viewer(make_staff: MakeStaff, client_of: ClientOf) -> Client:
    """Return the browser of staff who may view every table of the service and change none."""
    return client_of(make_staff(*(f"view_{table._meta.model_name}" for table in OWN_TABLES)))
