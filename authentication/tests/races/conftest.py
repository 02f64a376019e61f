"""What the races share: real servers, and nothing left running."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.db import connection
from pytest_django import Settings

from authentication.services.background import queue as background


@pytest.fixture(autouse=True)
def _servers(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    assert connection.vendor == "postgresql", "Races need PostgreSQL: set DATABASE_URL."
    assert "django_redis" in type(caches["default"]).__module__, "Races need Redis: set REDIS_URL."
    settings.RATELIMIT_ENABLE = False
    settings.HIBP_ENABLED = False
    # Mails are sent by threads, as they are in a process; the next test's database is none of
    # theirs.
    with ThreadPoolExecutor(background._THREADS, thread_name_prefix="background") as pool:
        monkeypatch.setattr(background, "_pool", pool)
        yield
