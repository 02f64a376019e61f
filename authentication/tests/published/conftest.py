"""The running service, for clients of it."""

from collections.abc import Iterator

import pytest

from authentication.tests.browser.service import Service, running


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return the running service; its data goes with the test run."""
    with running(tmp_path_factory.mktemp("service")) as started:
        started.mails.mkdir(exist_ok=True)
        yield started
