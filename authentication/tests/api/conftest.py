"""Fixtures of the tests over HTTP."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.clients import Tokens, page_browser
from authentication.tests.conftest import Deliver, forget_cached
from authentication.tests.factories import Factor, give_factor, unverified_user
from vineyard_group_fellowship.settings.base import caches as caches_at

from .email_changes import Links, request_links
from .passwords import issue_reset_token
from .problems import answering_crashes


@pytest.fixture
def visitor() -> Client:
    """Return a browser that has to send Django's CSRF token with every form."""
    return page_browser()


@pytest.fixture
def lenient_api(api: APIClient) -> APIClient:
    """Return an app's client that gets a 500 where the service raises an exception."""
    return answering_crashes(api)


@pytest.fixture
def without_rate_limits(settings: Settings) -> None:
    """Turn the rate limits off."""
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def factor(person: User) -> Factor:
    """Return the second factor of the person, set up directly in the database."""
    return give_factor(person)


@pytest.fixture
def reset_token(person: User) -> str:
    """Return the token of a password reset mail to the person."""
    return issue_reset_token(person)


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
    settings.CACHES = caches_at("")
    forget_cached()
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)
