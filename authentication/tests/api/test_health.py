"""GET /api/v1/auth/health/ and /api/v1/auth/health/live/."""

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest
from django.core.cache import caches
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import TimeoutError as RedisTimeout
from rest_framework.test import APIClient

from authentication.services.operations import health
from authentication.services.operations.heartbeat import HEARTBEAT_KEY
from authentication.tests.conftest import API

URL = f"{API}/health/"
LIVE = f"{API}/health/live/"
SECRET = "password=hunter2 host=10.0.0.5"

pytestmark = pytest.mark.django_db


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError(SECRET)

    with monkeypatch.context() as broken:
        broken.setattr(BaseDatabaseWrapper, "cursor", refuse)
        yield


@pytest.fixture
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object, **__: object) -> None:
        raise RedisTimeout(SECRET)

    with monkeypatch.context() as broken:
        for name in ("get", "set", "delete"):
            broken.setattr(type(caches["default"]), name, refuse)
        yield


def test_all_is_well(api: APIClient) -> None:
    before = timezone.now()

    answer = api.get(URL)

    body = answer.json()
    timestamp = dt.datetime.fromisoformat(body.pop("timestamp"))
    assert answer.status_code == 200
    assert body == {
        "status": "healthy",
        "database": "connected",
        "cache": "connected",
        "checks": {"database": "connected", "cache": "connected", "celery": "threads"},
    }
    assert before <= timestamp <= timezone.now()
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("broken", "status"), [(1, 200), (2, 503)])
def test_a_connection_that_broke_in_its_pool_is_not_the_database(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, broken: int, status: int
) -> None:
    original, tries = BaseDatabaseWrapper.cursor, iter(range(broken))

    def cursor(wrapper: BaseDatabaseWrapper) -> object:
        for _ in tries:
            raise OperationalError(SECRET)
        return original(wrapper)

    monkeypatch.setattr(BaseDatabaseWrapper, "cursor", cursor)

    assert api.get(URL).status_code == status


@pytest.mark.usefixtures("_no_database")
def test_without_a_database_it_is_unhealthy(api: APIClient) -> None:
    answer = api.get(URL)

    body = answer.json()
    assert answer.status_code == 503
    assert body.keys() == {"status", "database", "cache", "timestamp", "checks"}
    assert (body["status"], body["database"], body["cache"]) == (
        "unhealthy",
        "unavailable",
        "connected",
    )
    assert body["checks"] == {"database": "unavailable", "cache": "connected", "celery": "threads"}


@pytest.mark.usefixtures("_no_cache")
def test_without_a_cache_it_is_degraded(api: APIClient) -> None:
    answer = api.get(URL)

    body = answer.json()
    assert answer.status_code == 503
    assert (body["status"], body["database"], body["cache"]) == (
        "degraded",
        "connected",
        "unavailable",
    )


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_without_both_it_is_unhealthy(api: APIClient) -> None:
    answer = api.get(URL)

    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_no_words_of_an_exception_are_told(api: APIClient) -> None:
    answer = api.get(URL)

    text = answer.content.decode()
    assert not [
        word for word in ("hunter2", "10.0.0.5", "Error", "Timeout", "Exception") if word in text
    ]


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_the_process_runs_whatever_else_does(api: APIClient) -> None:
    answer = api.get(LIVE)

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("part", ["_database", "_cache"])
def test_a_part_that_hangs_is_not_waited_for(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    release = threading.Event()

    def hang() -> str:
        release.wait(10)
        return "connected"

    monkeypatch.setattr(health, part, hang)

    start = time.monotonic()
    answer = api.get(URL)
    seconds = time.monotonic() - start
    release.set()

    body = answer.json()
    assert answer.status_code == 503
    assert body["checks"][part.removeprefix("_")] == "no answer"
    assert body["status"] == {"_database": "unhealthy", "_cache": "degraded"}[part]
    assert seconds < 2


@pytest.mark.parametrize(("beating", "told"), [(True, "workers active"), (False, "no workers")])
def test_celery_is_told_and_decides_nothing(
    api: APIClient, settings: Settings, *, beating: bool, told: str
) -> None:
    settings.CELERY_BROKER_URL = "redis://localhost:1/0"
    if beating:
        caches["default"].set(HEARTBEAT_KEY, "now", 60)

    answer = api.get(URL)

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["checks"]["celery"]) == ("healthy", told)


@pytest.mark.parametrize("url", [URL, LIVE])
@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer", "Basic dXNlcjpwYXNz"])
def test_anybody_may_ask_whatever_they_carry(api: APIClient, url: str, header: str) -> None:
    answer = api.get(url, headers={"Authorization": header})

    assert answer.status_code == 200


@pytest.mark.parametrize("url", [URL, LIVE])
def test_asking_is_not_limited(api: APIClient, url: str) -> None:
    answers = [api.get(url) for _ in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[-1].headers


@pytest.mark.parametrize("url", [URL, LIVE])
def test_a_monitor_may_ask_with_head(api: APIClient, url: str) -> None:
    answer = api.head(url)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("url", [URL, LIVE])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_read(api: APIClient, url: str, method: str) -> None:
    answer = api.generic(method, url)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_checking_leaves_nothing_in_the_cache(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "new_jti", lambda: "known")

    api.get(URL)

    assert caches["default"].get("health:known") is None
