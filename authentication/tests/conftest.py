"""What the tests share."""

import gc
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest import runner
from django.conf import settings
from django.core import mail
from django.core.cache import caches
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import translation
from django_redis.client import DefaultClient
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services import EmailService
from vineyard_group_fellowship.cache import breaker

from . import selection
from .factories import PASSWORD, UserFactory

API = "/api/v1/auth"
ME = "/api/v1/profiles/me/"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Safari/537.36"
)
BROWSER = {"Sec-Fetch-Site": "same-origin", "User-Agent": CHROME}
"""The headers of a browser's request from a page of ours."""

Deliver = Callable[[], list[mail.EmailMessage]]
"""The type of the fixture `delivered`."""


def has_servers() -> bool:
    """Return whether the tests run on PostgreSQL and Redis."""
    cache = settings.CACHES["default"]["BACKEND"]
    return connection.vendor == "postgresql" and "redis" in cache


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files whose tests all need what is missing.

    Those are PostgreSQL and Redis, a browser, which only `make browser-test` asks for, or Node,
    which only `make clients-test` asks for.
    """
    if selection.is_in(collection_path, selection.WITH_NODE):
        is_left_out = config.option.markexpr != "clients"
    elif selection.is_in(collection_path, selection.IN_A_BROWSER):
        is_left_out = config.option.markexpr != "browser"
    else:
        needs_servers = selection.is_in(collection_path, selection.ONLY_ON_SERVERS)
        is_left_out = needs_servers and not has_servers()
    return True if is_left_out else None


def pytest_configure() -> None:
    """Keep a test from flushing the Redis in which another process counts."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("This empties the Redis of other tests too: use forget_cached().")

    DefaultClient.clear = refuse


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by their files, before pytest selects by marks.

    Without PostgreSQL and Redis the tests that need them are left out, whatever is selected.
    """
    selection.mark(items)
    if not has_servers():
        need_servers = [item for item in items if item.get_closest_marker("services")]
        config.hook.pytest_deselected(items=need_servers)
        items[:] = [item for item in items if not item.get_closest_marker("services")]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Sort the tests, and keep the garbage collector from what lives until the end."""
    session.items.sort(key=selection.position)
    # Imported modules and collected tests are a million objects. Looking through them again and
    # again takes a tenth of the run.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _run_test(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    return runner.pytest_runtest_protocol(item, nextitem)


# CPython keeps the frames of functions in chunks of 16 KiB, and unmaps a chunk when it is empty.
# Calls across the end of a chunk then map and unmap memory again and again: a tenth of the run. A
# frame of half a MiB gets a chunk of one MiB, which has room for every frame above it.
_run_test.__code__ = _run_test.__code__.replace(co_stacksize=70_000)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> object:
    """Run each test on a stack that is mapped once."""
    return _run_test(item, nextitem)


def bearer(access: str) -> dict[str, str]:
    """Return the headers that carry an access token."""
    return {"Authorization": f"Bearer {access}"}


def queries(captured: Any) -> list[str]:
    """Return the statements of a capture, without what begins and ends transactions."""
    control = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
    return [
        query["sql"] for query in captured.captured_queries if not query["sql"].startswith(control)
    ]


def deliver_due() -> None:
    """Send what waits in the outbox, here and now."""
    for pk in EmailService.due():
        EmailService.deliver(pk)


def token_in(message: mail.EmailMessage) -> str:
    """Return the token in a mail's link."""
    found = re.search(r"token=([\w-]+)", str(message.body))
    assert found, "The mail has no link."
    return found.group(1)


def forget_cached() -> None:
    """Empty the caches: of a Redis, which others use as well, only what is ours."""
    shared = caches["default"]
    if hasattr(shared, "delete_pattern"):
        shared.delete_pattern("*")
    else:
        shared.clear()
        caches["limits"].clear()


def cancel_retries() -> None:
    """Cancel the tasks that wait for a retry.

    They would run in the database of another test, and leave a connection open there.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()
            thread.join()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Record the migrations as applied where the tables were made from the models."""
    with django_db_blocker.unblock():
        recorder = MigrationRecorder(connection)
        if recorder.has_table():
            return
        recorder.ensure_schema()
        for app, name in MigrationLoader(None).disk_migrations:
            recorder.record_applied(app, name)


@pytest.fixture(autouse=True)
def _clean_slate() -> Iterator[None]:
    """Counters, retries and the language of one test are no business of the next."""
    translation.deactivate()
    breaker.reset()
    forget_cached()
    yield
    cancel_retries()


@pytest.fixture
def api() -> APIClient:
    """Return an app's client: no cookies of a browser, no proof of origin needed."""
    return APIClient()


@pytest.fixture
def browser() -> APIClient:
    """Return a browser's client, on a page of ours."""
    return APIClient(headers=BROWSER)


@pytest.fixture
def person(db: None) -> User:
    """Return a person with a proven address and PASSWORD."""
    return UserFactory()


@pytest.fixture
def signed_in(api: APIClient, person: User) -> dict[str, Any]:
    """Return the answer to an app's sign-in."""
    answer = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    api.cookies.clear()
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def delivered(db: None, mailoutbox: list[mail.EmailMessage]) -> Deliver:
    """Return a function that sends what waits in the outbox and returns every mail sent so far."""

    def deliver() -> list[mail.EmailMessage]:
        deliver_due()
        return mailoutbox

    return deliver
