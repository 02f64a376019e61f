"""Connections to Redis that are cut while they are idle."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import Celery
from celery.beat import Scheduler
from django.core.cache import caches
from django_redis import get_redis_connection
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail
from authentication.services import EmailService
from authentication.services.background import queue as background
from authentication.services.background.queue import enqueue
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from vineyard_group_fellowship.settings import base

from . import rig
from .conftest import StartWorker

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ROUNDS = 5
_IDLE = 3.0
TASKS = ("authentication.tasks.sweep_outbox", "authentication.tasks.sweep_exports")


@pytest.fixture
def relay(settings: Settings) -> Iterator[rig.Wire]:
    """Return a relay in front of Redis, which can drop idle connections."""
    wire = rig.Wire(urlsplit(str(settings.CACHES["default"]["LOCATION"])).port or 6379)
    yield wire
    wire.close()


@pytest.fixture
def broker(relay: rig.Wire, settings: Settings) -> str:
    """Return the address of the broker behind the relay."""
    parts = urlsplit(str(settings.CACHES["default"]["LOCATION"]))
    return parts._replace(netloc=f"127.0.0.1:{relay.port}").geturl()


def waiting() -> int:
    """Return how many tasks wait in the queue of scheduled work."""
    return int(get_redis_connection("default").llen("upkeep"))


def arrived(number: int) -> bool:
    return waiting() == number


def test_the_scheduler_loses_no_task_when_idle_connections_are_cut(
    relay: rig.Wire, broker: str, settings: Settings
) -> None:
    settings.CELERY_BROKER_URL = broker
    app = Celery("test", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    scheduler: Any = Scheduler(app=app, lazy=True)

    for _ in range(ROUNDS):
        for task in TASKS:
            entry = scheduler.Entry(task, task, schedule=1.0, app=app)
            scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
        relay.forget()

    assert waiting() == ROUNDS * len(TASKS)


def test_a_web_process_hands_every_task_to_the_broker_when_idle_connections_are_cut(
    relay: rig.Wire, broker: str, through: Callable[[str], None]
) -> None:
    through(broker)
    for number in range(1, ROUNDS + 1):
        enqueue(TASKS[0])
        rig.until(partial(arrived, number), what="the task")
        assert not background._broker.is_open
        relay.forget()


def test_a_worker_behind_a_relay_that_cuts_idle_connections_goes_on_working(
    api: APIClient,
    relay: rig.Wire,
    broker: str,
    through: Callable[[str], None],
    start_worker: StartWorker,
    mailserver: rig.MailServer,
) -> None:
    through(broker)
    mailserver.refusal = "451 4.3.0 later"
    worker = start_worker(CELERY_BROKER_URL=broker)
    body = {"email": "naomi@example.org", "password": PASSWORD}
    assert api.post(f"{API}/register/", body).status_code == 201

    # The worker publishes the retries after five and twenty seconds. Between them its connection
    # for publishing is idle; those by which it takes tasks are not.
    for attempts in (1, 2):
        rig.until(OutgoingEmail.objects.filter(attempts=attempts).exists, what="an attempt")
        time.sleep(_IDLE + 0.5)
        relay.forget(idle=_IDLE)

    mailserver.refusal = ""
    rig.until(lambda: mailserver.mails, seconds=40, what="the mail")
    assert worker.poll() is None
    assert EmailService.due() == []


def test_the_cache_goes_on_when_idle_connections_are_cut(
    relay: rig.Wire, broker: str, settings: Settings
) -> None:
    settings.CACHES = base.caches(broker)
    for number in range(ROUNDS):
        caches["default"].set("key", number)
        relay.forget()

        assert caches["default"].get("key") == number
        relay.forget()
