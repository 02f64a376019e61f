"""A broker that refuses commands for a while: as a replica, full, unable to save."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import TokenBlacklist
from authentication.services.background.queue import enqueue
from authentication.tests.conftest import API
from vineyard_group_fellowship.settings.base import caches

from . import rig
from .conftest import StartWorker
from .redis_server import RedisServer, redis_server

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

SECONDS = 12


def replicate(server: RedisServer) -> None:
    server.client.replicaof("127.0.0.1", rig.free_port())


def promote(server: RedisServer) -> None:
    server.client.replicaof("NO", "ONE")


def want_replicas(server: RedisServer) -> None:
    server.client.config_set("min-replicas-to-write", 1)


def want_none(server: RedisServer) -> None:
    server.client.config_set("min-replicas-to-write", 0)


def fill(server: RedisServer) -> None:
    server.client.config_set("maxmemory-policy", "noeviction")
    server.client.config_set("maxmemory", 1)


def give_memory(server: RedisServer) -> None:
    server.client.config_set("maxmemory", 0)


def fail_to_save(server: RedisServer) -> None:
    # A folder stands where the file should be.
    taken = Path(server.client.config_get("dir")["dir"]) / "dump.rdb"
    taken.mkdir()
    (taken / "file").touch()
    server.client.config_set("save", "3600 1")
    server.client.set("changed", 1)
    server.client.bgsave()
    rig.until(lambda: server.client.info()["rdb_last_bgsave_status"] == "err", what="the fault")


def save_nothing(server: RedisServer) -> None:
    server.client.config_set("save", "")
    server.client.config_set("stop-writes-on-bgsave-error", "no")


STATES: dict[str, tuple[Callable[[RedisServer], None], Callable[[RedisServer], None]]] = {
    "a replica": (replicate, promote),
    "without enough replicas": (want_replicas, want_none),
    "full": (fill, give_memory),
    "unable to save": (fail_to_save, save_nothing),
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


def clean_is_done() -> None:
    """Wait until a worker has carried out a task that is sent now, or again."""
    TokenBlacklist.objects.create(jti="old", expires_at=timezone.now())

    def done() -> bool:
        enqueue("authentication.tasks.clean", "blacklist")
        return not TokenBlacklist.objects.exists()

    rig.until(done, seconds=40, pause=1, what="the worker to work")


@pytest.mark.parametrize("state", STATES)
def test_a_worker_outlives_a_broker_that_refuses_and_writes_a_line_a_second_at_most(
    state: str,
    broker: RedisServer,
    through: Callable[[str], None],
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    refuse, recover = STATES[state]
    through(broker.url)
    worker = start_worker("upkeep", CELERY_BROKER_URL=broker.url)
    clean_is_done()
    log = tmp_path / "worker.log"
    before = len(log.read_text(encoding="utf-8").splitlines())

    refuse(broker)
    time.sleep(SECONDS)
    lines = len(log.read_text(encoding="utf-8").splitlines()) - before
    outlived = worker.poll() is None
    recover(broker)

    assert outlived
    assert lines <= SECONDS
    clean_is_done()
    assert worker.poll() is None


def test_a_worker_that_fails_after_it_has_connected_pauses_too(
    broker: RedisServer,
    through: Callable[[str], None],
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    through(broker.url)
    worker = start_worker("upkeep", CELERY_BROKER_URL=broker.url)
    clean_is_done()
    log = tmp_path / "worker.log"
    before = len(log.read_text(encoding="utf-8").splitlines())

    # It waits for tasks with this command.
    broker.client.execute_command("ACL", "SETUSER", "default", "-brpop")
    time.sleep(SECONDS)
    lines = len(log.read_text(encoding="utf-8").splitlines()) - before
    broker.client.execute_command("ACL", "SETUSER", "default", "+brpop")

    # Each try writes some five; without a pause there are hundreds.
    assert 5 <= lines <= 3 * SECONDS
    clean_is_done()
    assert worker.poll() is None


def test_a_worker_starts_on_a_broker_that_refuses(
    broker: RedisServer,
    through: Callable[[str], None],
    start_worker: StartWorker,
) -> None:
    through(broker.url)
    replicate(broker)
    worker = start_worker("upkeep", CELERY_BROKER_URL=broker.url, wait=False)
    time.sleep(6)

    assert worker.poll() is None
    promote(broker)
    clean_is_done()


@pytest.mark.parametrize("state", STATES)
def test_health_tells_a_redis_that_refuses_writes_from_one_that_is_lost(
    state: str, broker: RedisServer, api: APIClient, settings: Settings
) -> None:
    settings.CACHES = caches(broker.url)
    refuse, recover = STATES[state]
    refuse(broker)

    answer = api.get(f"{API}/health/")
    recover(broker)

    assert (answer.status_code, answer.json()["cache"]) == (503, "refuses writes")
    rig.until(lambda: api.get(f"{API}/health/").json()["cache"] == "connected", what="recovery")
