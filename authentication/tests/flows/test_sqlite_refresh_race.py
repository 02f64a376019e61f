"""The embedded service (SQLite, one process, threads) under concurrent requests."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from authentication.tests.factories import PASSWORD
from authentication.tests.forging import claims_of

EMAIL = "ruth@example.org"
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
CROWD = 24
# As many as may compare a password at once without waiting.
SIGN_INS = 4

# `make run`, with one account.
_SERVICE = f"""
import sys, django
django.setup()
from django.core.management import call_command
from authentication.models import User
call_command("migrate", verbosity=0)
User.objects.create_superuser("{EMAIL}", "{PASSWORD}")
call_command("runserver", sys.argv[1], use_reloader=False, skip_checks=True)
"""
# An erasure, by another process.
_ERASURE = """
import sys, django
django.setup()
from django.utils import timezone
from authentication.models import User
from authentication.services import DeletionService
user = User.objects.get(username=sys.argv[1])
User.objects.request_deletion(user.pk, at=timezone.now())
DeletionService.erase(user.pk)
"""
_STARTING_SECONDS = 60


class Caller:
    """An open connection to the service."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path: str) -> tuple[int, Any]:
        self._connection.request("GET", f"/api/v1/auth/{path}/")
        return self._answer()

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        self._connection.request(
            "POST", f"/api/v1/auth/{path}/", json.dumps(body), {"Content-Type": "application/json"}
        )
        return self._answer()

    def close(self) -> None:
        self._connection.close()

    def _answer(self) -> tuple[int, Any]:
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())


class Service:
    """A running service and its database."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.database, self.log = port, folder / "db.sqlite3", folder / "log"
        self.environment: dict[str, str] = {}

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        with closing(Caller(self.port)) as caller:
            return caller.post(path, body)

    def post_at_once(self, count: int, path: str, body: dict[str, Any]) -> list[tuple[int, Any]]:
        barrier = threading.Barrier(count)
        with ExitStack() as stack, ThreadPoolExecutor(count) as pool:
            callers = [stack.enter_context(closing(Caller(self.port))) for _ in range(count)]
            for caller in callers:
                # Connecting all of them at once would exceed the server's backlog.
                caller.get("health/live")

            def post(caller: Caller) -> tuple[int, Any]:
                barrier.wait(20)
                return caller.post(path, body)

            return list(pool.map(post, callers))

    def lives(self) -> bool:
        try:
            with closing(Caller(self.port)) as caller:
                return caller.get("health/live")[0] == 200
        except OSError:
            return False

    def stored(self) -> bytes:
        """Return the database file and its write-ahead log."""
        files = (self.database, self.database.with_name(f"{self.database.name}-wal"))
        return b"".join(path.read_bytes() for path in files if path.exists())

    def count(self, statement: str, *values: str) -> int:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            query = f"SELECT count(*) FROM {statement}"  # noqa: S608
            return int(database.execute(query, values).fetchone()[0])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start the service as a developer does, with its own database."""
    folder = tmp_path_factory.mktemp("service")
    running = Service(free_port(), folder)
    environment = {
        **{
            name: os.environ[name]
            for name in ("PATH", "HOME", "LANG", "TMPDIR")
            if name in os.environ
        },
        # An empty variable counts as unset, and wins over a .env file.
        **dict.fromkeys(
            ("DATABASE_URL", "DB_HOST", "PGHOST", "REDIS_URL", "CELERY_BROKER_URL"), ""
        ),
        "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings",
        "DJANGO_ENVIRONMENT": "development",
        "SQLITE_PATH": str(running.database),
    }
    running.environment = environment
    with running.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and script
            [sys.executable, "-c", _SERVICE, f"127.0.0.1:{running.port}"],
            env=environment,
            cwd=settings.BASE_DIR,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + _STARTING_SECONDS
            while not running.lives():
                assert process.poll() is None, running.log.read_text()
                assert time.monotonic() < deadline, running.log.read_text()
                time.sleep(0.1)
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                # The tests are done; a slow stop on a busy machine must not fail them.
                process.kill()
                process.wait()


@pytest.mark.slow
def test_concurrent_refreshes_rotate_once_and_get_the_same_successor(
    service: Service,
) -> None:
    status, tokens = service.post("login", CREDENTIALS)
    assert status == 200, tokens

    answers = service.post_at_once(CROWD, "token/refresh", {"refresh": tokens["refresh"]})

    assert [status for status, _ in answers] == [200] * CROWD, service.log.read_text()
    (successor,) = {body["refresh"] for _, body in answers}
    session = claims_of(successor)["sid"].replace("-", "")
    rotated = service.count("authentication_tokenblacklist WHERE reason = 'rotation'")
    audited = service.count("authentication_auditlog WHERE event_type = 'token_refresh'")
    assert (rotated, audited) == (1, 1)
    newest = claims_of(successor)["jti"]
    assert (
        service.count(
            "authentication_usersession WHERE id = ? AND refresh_token_jti = ?", session, newest
        )
        == 1
    )
    assert service.post("token/verify", {"token": answers[0][1]["access"]}) == (200, {})
    assert service.post("token/refresh", {"refresh": successor})[0] == 200


@pytest.mark.slow
def test_concurrent_sign_ins_succeed(service: Service) -> None:
    before = service.count("authentication_usersession WHERE is_active")

    answers = service.post_at_once(SIGN_INS, "login", CREDENTIALS)

    assert [status for status, _ in answers] == [200] * SIGN_INS, service.log.read_text()
    assert service.count("authentication_usersession WHERE is_active") == before + SIGN_INS


@pytest.mark.slow
def test_nothing_of_an_erased_account_stays_in_the_files(service: Service) -> None:
    account = {"email": "mara@example.org", "username": "mara.canary", "password": PASSWORD}
    assert service.post("register", account)[0] == 201
    assert b"mara.canary" in service.stored()

    subprocess.run(  # noqa: S603 -- our own interpreter and script
        [sys.executable, "-c", _ERASURE, "mara.canary"],
        env=service.environment,
        cwd=settings.BASE_DIR,
        check=True,
        timeout=60,
    )

    assert b"mara.canary" not in service.stored()
