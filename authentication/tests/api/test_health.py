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
from redis.exceptions import TimeoutError as RedisTimeout
from rest_framework.test import APIClient

from authentication.services.operations import health
from authentication.tests.answers import assert_problem, unexpected
from authentication.tests.conftest import API

URL = f"{API}/health/"
LIVE = f"{API}/health/live/"
THREADS = dict.fromkeys(("mailer", "worker", "beat"), "threads")
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


def test_a_service_with_every_part_is_healthy(api: APIClient) -> None:
    before = timezone.now()

    answer = api.get(URL)

    body = answer.json()
    timestamp = dt.datetime.fromisoformat(body.pop("timestamp"))
    assert answer.status_code == 200
    assert body == {
        "status": "healthy",
        "database": "connected",
        "cache": "connected",
        "checks": {"database": "connected", "cache": "connected", "celery": THREADS},
    }
    assert before <= timestamp <= timezone.now()
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("broken", "status"), [(1, 200), (2, 503)])
def test_one_broken_connection_of_the_pool_does_not_count_as_no_database(
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
def test_a_service_without_its_database_is_unhealthy(api: APIClient) -> None:
    answer = api.get(URL)

    body = answer.json()
    assert answer.status_code == 503
    assert body.keys() == {"status", "database", "cache", "timestamp", "checks"}
    assert body["status"] == "unhealthy"
    assert (body["database"], body["cache"]) == ("unavailable", "connected")
    assert body["checks"] == {"database": "unavailable", "cache": "connected", "celery": THREADS}


@pytest.mark.usefixtures("_no_cache")
def test_a_service_without_its_cache_is_degraded(api: APIClient) -> None:
    answer = api.get(URL)

    body = answer.json()
    assert answer.status_code == 503
    assert body["status"] == "degraded"
    assert (body["database"], body["cache"]) == ("connected", "unavailable")


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_a_service_without_database_and_cache_is_unhealthy(api: APIClient) -> None:
    answer = api.get(URL)

    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_the_answer_quotes_no_exception(api: APIClient) -> None:
    answer = api.get(URL)

    text = answer.content.decode()
    assert not [
        word for word in ("hunter2", "10.0.0.5", "Error", "Timeout", "Exception") if word in text
    ]


@pytest.mark.usefixtures("_no_cache", "_no_database")
def test_the_process_is_alive_without_database_and_cache(api: APIClient) -> None:
    answer = api.get(LIVE)

    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.slow
@pytest.mark.parametrize("part", ["_database", "_cache"])
def test_a_part_that_hangs_is_reported_within_two_seconds(
    api: APIClient, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    release = threading.Event()

    def hang() -> None:
        release.wait(10)

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


@pytest.mark.parametrize("url", [URL, LIVE])
def test_the_authorization_header_is_ignored(api: APIClient, url: str) -> None:
    def outcome(header: str) -> int:
        return int(api.get(url, headers={"Authorization": header}).status_code)

    headers = ["Bearer stale.access.token", "Bearer", "Basic dXNlcjpwYXNz"]
    assert unexpected(headers, outcome, 200) == {}


@pytest.mark.parametrize("url", [URL, LIVE])
def test_the_endpoint_has_no_limit(api: APIClient, url: str) -> None:
    answers = [api.get(url) for _ in range(30)]

    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[-1].headers


@pytest.mark.parametrize("url", [URL, LIVE])
def test_a_monitor_may_use_head(api: APIClient, url: str) -> None:
    answer = api.head(url)

    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("url", [URL, LIVE])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_writes_is_refused(api: APIClient, url: str, method: str) -> None:
    answer = api.generic(method, url)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


def test_the_check_leaves_no_key_in_the_cache(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "new_jti", lambda: "known")

    answer = api.get(URL)

    assert answer.json()["cache"] == "connected"
    assert caches["default"].get("health:known") is None
