"""What the tests of endpoints share."""

import pytest
from django.core.cache import caches
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture


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
