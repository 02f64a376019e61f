"""What the tests of rate limits share."""

from typing import Any

from pytest_django import Settings
from rest_framework.test import APIClient

from .conftest import API

CSRF = f"{API}/csrf/"
"""An endpoint that any client may call."""


def set_limits(settings: Settings, **rates: str) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, **rates}


def csrf_status(api: APIClient, **extra: Any) -> int:
    """Call the endpoint for CSRF tokens; return the answer's status."""
    return int(api.get(CSRF, **extra).status_code)
