"""Fixtures of the tests of mail."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from authentication.models import User
from authentication.tests.factories import unverified_user

from .outbox_mails import BrokenServer


@pytest.fixture
def broken_server(settings: Settings) -> Callable[[], None]:
    """Break the mail server; return a function that repairs it."""
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{BrokenServer.__module__}.BrokenServer"

    def repair() -> None:
        settings.EMAIL_BACKEND = working

    return repair


@pytest.fixture
def newcomer() -> User:
    """Return a user with an address that is not verified."""
    return unverified_user()
