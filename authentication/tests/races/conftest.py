"""Fixtures of the concurrency tests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from authentication.services.background import queue as background
from authentication.tests.real_servers import use_real_servers


@pytest.fixture(autouse=True)
def _servers(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    use_real_servers(settings)
    # Mails are sent by threads, as in a process. They must end before the next test begins.
    with ThreadPoolExecutor(background._THREADS, thread_name_prefix="background") as pool:
        monkeypatch.setattr(background, "_pool", pool)
        yield
