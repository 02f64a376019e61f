"""Fixtures of the tests over HTTP."""

import pytest
from django.test import Client

from authentication.models import User
from authentication.tests.clients import page_browser
from authentication.tests.factories import unverified_user


@pytest.fixture
def visitor() -> Client:
    """Return a browser that has to send Django's CSRF token with every form."""
    return page_browser()


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a user with an address that is not verified."""
    return unverified_user()
