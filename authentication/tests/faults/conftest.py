"""Fixtures: workers, a mail server, a TCP relay that can be cut."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from celery import Celery
from django.core.cache import caches
from pytest_django import Settings

from authentication.services.background import queue as background
from authentication.services.operations.heartbeat import key_of
from authentication.tests.faults import rig
from authentication.tests.faults.callers import Caller, Serve
from authentication.tests.real_servers import use_real_servers
from authentication.utils.faults import Breaker

StartWorker = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def _servers(transactional_db: None, settings: Settings) -> None:
    use_real_servers(settings)
    settings.EMAIL_SWEEP_SECONDS = 60


@pytest.fixture
def redis(settings: Settings) -> str:
    """Return the address of the test's Redis."""
    return str(settings.CACHES["default"]["LOCATION"])


@pytest.fixture
def mailserver() -> Iterator[rig.MailServer]:
    """Return a mail server."""
    server = rig.MailServer()
    yield server
    server.close()


@pytest.fixture
def through(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that makes this process hand its tasks to a broker, as the service does."""
    with ThreadPoolExecutor(background._THREADS, thread_name_prefix="background") as pool:
        monkeypatch.setattr(background, "_pool", pool)

        def use(broker: str) -> None:
            settings.CELERY_BROKER_URL = broker
            app = Celery("test", set_as_current=False)
            app.config_from_object("django.conf:settings", namespace="CELERY")
            monkeypatch.setattr(background, "current_app", app)
            monkeypatch.setattr(background, "_broker", Breaker(0.5))

        yield use


@pytest.fixture
def start_worker(tmp_path: Path, mailserver: rig.MailServer) -> Iterator[StartWorker]:
    """Return a function that starts a real worker, and by default waits until it takes tasks."""
    with contextlib.ExitStack() as running:

        def start(
            queues: str = "mail,checks,upkeep", *, wait: bool = True, **changed: str
        ) -> subprocess.Popen[bytes]:
            beats = [key_of(queue) for queue in queues.split(",")]
            caches["default"].delete_many(beats)
            mail = {
                "EMAIL_HOST": "127.0.0.1",
                "EMAIL_PORT": str(mailserver.port),
                "EMAIL_LEASE_SECONDS": "2",
            }
            command = (
                "celery",
                "-A",
                "vineyard_group_fellowship",
                "-q",
                "worker",
                "-c",
                "2",
                "-Q",
                queues,
            )
            worker = running.enter_context(
                rig.process(*command, log=tmp_path / "worker.log", **mail, **changed)
            )
            if wait:
                rig.until(lambda: caches["default"].get(beats[-1]), what="a worker's heartbeat")
            return worker

        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that starts the server, and returns when it answers."""
    with contextlib.ExitStack() as running:

        def start(*command: str, **changed: str) -> tuple[Caller, subprocess.Popen[bytes]]:
            port = rig.free_port()
            told = {"PORT": str(port), "WEB_CONCURRENCY": "2", "WEB_THREADS": "4", **changed}
            server = running.enter_context(
                rig.process(*(command or rig.SERVER), log=tmp_path / "server.log", **told)
            )
            caller = Caller(port)
            rig.until(caller.is_up, seconds=40, what="the server")
            return caller, server

        yield start
