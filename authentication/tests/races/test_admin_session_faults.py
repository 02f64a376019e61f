"""Admin sessions with and without Redis."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from authentication.models import User
from authentication.tests.conftest import queries
from vineyard_group_fellowship.settings import base

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def boss(person: User) -> Client:
    """Return a client that has signed in to the admin."""
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(User.objects.get())
    return client


@pytest.fixture
def hung(settings: Settings) -> Iterator[dict[str, object]]:
    """Return caches on a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield base.caches(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")


def test_a_session_is_read_from_redis_and_kept_in_the_database(boss: Client) -> None:
    boss.get("/admin/")

    with CaptureQueriesContext(connection) as captured:
        assert boss.get("/admin/").status_code == 200

    assert Session.objects.count() == 1
    assert not [sql for sql in queries(captured) if "django_session" in sql]


def test_admin_session_works_while_redis_hangs(
    boss: Client, settings: Settings, hung: dict[str, object]
) -> None:
    settings.CACHES = hung
    start = time.monotonic()

    assert [boss.get("/admin/").status_code for _ in range(3)] == [200] * 3
    assert time.monotonic() - start < 2


def test_admin_session_ended_while_redis_hung_stays_ended(
    boss: Client, settings: Settings, hung: dict[str, object]
) -> None:
    working, thief = settings.CACHES, Client()
    thief.cookies.load(boss.cookies.output(header="", sep=";"))
    settings.CACHES = hung
    boss.post("/admin/logout/")
    assert not Session.objects.exists()
    settings.CACHES = working

    cache: Any = caches["default"]
    lives = max(cache.ttl(key) for key in cache.keys("*cached_db*"))

    assert thief.get("/admin/").status_code in {200, 302}
    assert lives <= 300


@pytest.mark.parametrize(("fault", "status"), [(OperationalError, 503), (DatabaseError, 400)])
def test_only_a_session_that_is_gone_is_a_400(
    boss: Client,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    fault: type[DatabaseError],
    status: int,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise fault

    settings.SESSION_SAVE_EVERY_REQUEST = True
    boss.raise_request_exception = False
    monkeypatch.setattr(Session, "save", refuse)

    assert boss.get("/admin/").status_code == status
