"""Fixtures of the tests over HTTP."""

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.clients import Tokens, page_browser
from authentication.tests.conftest import Deliver
from authentication.tests.factories import unverified_user

from .email_changes import Links, request_links


@pytest.fixture
def visitor() -> Client:
    """Return a browser that has to send Django's CSRF token with every form."""
    return page_browser()


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a user with an address that is not verified."""
    return unverified_user()


@pytest.fixture
def links(api: APIClient, person: User, signed_in: Tokens, delivered: Deliver) -> Links:
    """Return the tokens of a change of email address that the user has requested."""
    return request_links(api, person, signed_in, delivered)


@pytest.fixture
def _own_clock(time_machine: TimeMachineFixture, settings: Settings) -> None:
    """Stop the clock, for the cache too: Redis would keep its own time."""
    settings.RATELIMIT_ENABLE = False
    settings.CACHES = {
        name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
        for name in ("default", "limits")
    }
    caches["limits"].clear()
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)
