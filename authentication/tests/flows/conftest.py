"""Fixtures of the flows."""

from collections.abc import Iterator

import pytest
import sentry_sdk
from pytest_django import Settings

from authentication.models import User
from authentication.tests.factories import UserFactory
from vineyard_group_fellowship.settings import monitoring

from .questions import KNOWN, KNOWN_NAME
from .reports import CANARIES, CapturingTransport


@pytest.fixture
def every_request_is_logged(settings: Settings) -> None:
    """Log every request, as slow and as making too many queries."""
    settings.RATELIMIT_ENABLE = False
    settings.SLOW_REQUEST_SECONDS = settings.QUERY_BUDGET = -1


@pytest.fixture
def ruth(db: None) -> User:
    """Return the user with the known name."""
    return UserFactory(email=KNOWN, username=KNOWN_NAME)


@pytest.fixture
def reports() -> Iterator[CapturingTransport]:
    """Return the transport that captures the reports of a test."""
    transport = CapturingTransport()
    sentry_sdk.init(
        dsn="http://key@localhost:9/1",
        transport=transport,
        **{**monitoring.SENTRY_OPTIONS, "traces_sample_rate": 1.0},
    )
    yield transport
    sentry_sdk.init(default_integrations=False)


@pytest.fixture
def canary_user(db: None) -> User:
    """Return a user with canaries as names and password."""
    names = {
        "username": CANARIES["username"],
        "first_name": CANARIES["name"],
        "last_name": CANARIES["name"],
    }
    return UserFactory(email=CANARIES["email"], password=CANARIES["password"], **names)
