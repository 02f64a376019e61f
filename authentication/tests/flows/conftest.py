"""Fixtures of the flows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sentry_sdk
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.clients import Tokens
from authentication.tests.factories import UserFactory
from authentication.tests.places import BERLIN, write_places
from vineyard_group_fellowship.settings import monitoring

from .questions import KNOWN, KNOWN_NAME
from .reports import CANARIES, CapturingTransport
from .unusual import Watch, sign_in_at


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


@pytest.fixture
def places_file(settings: Settings, tmp_path: Path) -> Path:
    """Return the file of places that is used."""
    path = settings.GEOIP_PATH = write_places(tmp_path / "places.mmdb")
    return path


@pytest.fixture
def watch(time_machine: TimeMachineFixture, db: None) -> Watch:
    """Return the clock and the task that looks for unusual uses."""
    return Watch(time_machine)


@pytest.fixture
def at_home(api: APIClient, person: User, places_file: Path, watch: Watch) -> Tokens:
    """Return the tokens of a session in Berlin, which is known."""
    tokens = sign_in_at(api, person, BERLIN)
    watch.examine()
    return tokens
