"""Fixtures of the tests of passwords."""

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from authentication.services.passwords import breach

from .breach_ranges import Queued


@pytest.fixture
def range_api(settings: Settings, httpserver: HTTPServer) -> None:
    """Ask the test's server about breached passwords."""
    settings.HIBP_ENABLED = True
    settings.HIBP_API_URL = httpserver.url_for("/range")


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Queued:
    """Return the list of the tasks that would be queued."""
    tasks_given: Queued = []
    monkeypatch.setattr(breach, "enqueue", lambda *given: tasks_given.append(given))
    return tasks_given
