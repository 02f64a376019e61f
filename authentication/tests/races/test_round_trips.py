"""Round trips of a request to PostgreSQL and to Redis, counted on the wire."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.services.background import queue
from authentication.tests.clients import REFRESH, sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD
from authentication.tests.faults import rig
from vineyard_group_fellowship.settings import base

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

PROFILE = "/api/v1/profiles/me/"
Ask = Callable[[], Any]
Count = Callable[[Ask], tuple[int, int]]


@pytest.fixture
def count(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    """Return a function that counts the round trips to PostgreSQL and to Redis."""
    cache = urlsplit(str(settings.CACHES["default"]["LOCATION"]))
    to_database = rig.Wire(int(connection.settings_dict["PORT"] or 5432))
    to_redis = rig.Wire(cache.port or 6379)
    settings.RATELIMIT_ENABLE = True
    settings.CACHES = base.caches(cache._replace(netloc=f"127.0.0.1:{to_redis.port}").geturl())
    for name, value in {"HOST": "127.0.0.1", "PORT": to_database.port, "CONN_MAX_AGE": 600}.items():
        monkeypatch.setitem(connection.settings_dict, name, value)
    connection.close()
    # Mails are sent by other threads.
    monkeypatch.setattr(queue, "_publish_or_run", lambda *_: None)

    def counted(ask: Ask) -> tuple[int, int]:
        # The first request opens the connections and loads the scripts.
        assert ask().status_code in {200, 401}
        to_database.senders.clear()
        to_redis.senders.clear()
        assert ask().status_code in {200, 401}
        return _round_trips(to_database), _round_trips(to_redis)

    yield counted
    connection.close()
    to_database.close()
    to_redis.close()


def _round_trips(wire: rig.Wire) -> int:
    turns = [sender for sender, _ in itertools.groupby(wire.senders)]
    return -(-len(turns) // 2)


def test_an_authenticated_request(api: APIClient, person: User, count: Count) -> None:
    headers = bearer(sign_in(api, person)["access"])

    assert count(lambda: api.get(PROFILE, headers=headers)) == (1, 0)


def test_a_checked_token(api: APIClient, person: User, count: Count) -> None:
    access = sign_in(api, person)["access"]

    assert count(lambda: api.post(f"{API}/token/verify/", {"token": access})) == (1, 1)


def test_a_refresh(api: APIClient, person: User, count: Count) -> None:
    tokens = dict(sign_in(api, person))

    def refresh() -> Any:
        answer = api.post(REFRESH, {"refresh": tokens["refresh"]})
        tokens.update(answer.json())
        return answer

    assert count(refresh) == (2, 1)


def test_a_refresh_that_is_recorded(api: APIClient, person: User, count: Count) -> None:
    tokens, agents = dict(sign_in(api, person)), itertools.count()

    def refresh() -> Any:
        answer = api.post(
            REFRESH, {"refresh": tokens["refresh"]}, HTTP_USER_AGENT=f"App/{next(agents)}"
        )
        tokens.update(answer.json())
        return answer

    assert count(refresh) == (2, 1)
    assert AuditLog.objects.filter(event_type="token_refresh").count() == 2


def test_a_failed_sign_in(api: APIClient, person: User, count: Count) -> None:
    body = {"email": person.email, "password": "Wrong-Harvest-7"}

    assert count(lambda: api.post(f"{API}/login/", body)) == (3, 2)


def test_a_failed_sign_in_by_an_unknown_name(api: APIClient, count: Count) -> None:
    body = {"email": "unknown@example.org", "password": "Wrong-Harvest-7"}

    assert count(lambda: api.post(f"{API}/login/", body)) == (3, 2)


def test_a_sign_in_on_a_new_device(person: User, count: Count) -> None:
    body = {"email": person.email, "password": PASSWORD}

    assert count(lambda: APIClient().post(f"{API}/login/", body)) == (4, 4)
