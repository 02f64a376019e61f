"""Many clients for a while, with a restart of every process in the middle."""

import collections
import contextlib
import random
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authentication.models import OutgoingEmail, User, UserSession
from authentication.tests.factories import PASSWORD, UserFactory

from . import rig

pytestmark = [
    pytest.mark.services,
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True),
]

CLIENTS, SECONDS = 32, 60
WORKER = (
    "celery",
    "-A",
    "vineyard_group_fellowship",
    "worker",
    "-c",
    "2",
    "-Q",
    "mail,checks,upkeep",
)


class Visitor:
    """A user who signs in, reads, refreshes, requests a password reset and signs out, at random."""

    def __init__(self, number: int, world: "World", tally: "collections.Counter[Any]") -> None:
        self._world, self._tally = world, tally
        self._chance = random.Random(number)  # noqa: S311 -- nothing depends on it
        self.email = f"visitor{number}@example.org"
        self._tokens: dict[str, Any] = {}

    def visit(self, until: float) -> None:
        while time.monotonic() < until:
            self._chance.choice(self._acts())()

    def _acts(self) -> list[Callable[[], Any]]:
        if not self._tokens:
            return [self.sign_in]
        often = [self.look, self.list_devices, self.refresh, self.verify] * 5
        return [*often, self.sign_out, self.forget, self.register]

    def sign_in(self) -> None:
        self._tokens = (
            self._ask("POST", "auth/login/", {"email": self.email, "password": PASSWORD}) or {}
        )

    def can_sign_in(self) -> bool:
        self._tokens = {}
        self.sign_in()
        return bool(self._tokens)

    def refresh(self) -> None:
        # A lost answer leaves the old token good for its successor.
        self._tokens = (
            self._ask("POST", "auth/token/refresh/", {"refresh": self._tokens["refresh"]})
            or self._tokens
        )

    def look(self) -> None:
        self._ask("GET", "profiles/me/")

    def list_devices(self) -> None:
        self._ask("GET", "auth/sessions/")

    def verify(self) -> None:
        self._ask("POST", "auth/token/verify/", {"token": self._tokens["access"]})

    def forget(self) -> None:
        self._ask("POST", "auth/password/reset/", {"email": self.email})

    def register(self) -> None:
        mark = self._chance.getrandbits(60)
        self._ask(
            "POST", "auth/register/", {"email": f"new{mark}@example.org", "password": PASSWORD}
        )

    def sign_out(self) -> None:
        self._ask("POST", "auth/logout/")
        self._tokens = {}

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._tokens['access']}"} if self._tokens else {}
        self._world.takes_requests.wait()
        try:
            answer = rig.asked(self._world.port, method, f"/api/v1/{path}", body, headers)
        except rig.LOST as lost:
            self._tally[f"{path} {lost!r}"] += 1
            return None
        self._tally[answer.status] += 1
        if answer.status >= 400:
            self._tally[f"{path} {answer.status} {answer.json().get('code')}"] += 1
            return None
        return answer.json()


class World:
    """The service's processes on one machine, which can be restarted under load."""

    def __init__(self, running: contextlib.ExitStack, log: Path, mail_port: int) -> None:
        self._running, self._log, self.port = running, log, rig.free_port()
        mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mail_port)}
        pace = {"EMAIL_SWEEP_SECONDS": "1", "EMAIL_LEASE_SECONDS": "3"}
        self._environment = {
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "WEB_THREADS": "8",
            **mail,
            **pace,
        }
        self.takes_requests = threading.Event()
        self.start()
        self.takes_requests.set()

    def start(self) -> None:
        self._server, self._worker = self.run(*rig.SERVER), self.run(*WORKER)

    def run(self, *command: str) -> "subprocess.Popen[bytes]":
        return self._running.enter_context(
            rig.process(*command, log=self._log, **self._environment)
        )

    def restart(self) -> None:
        """Stop the server by SIGTERM, kill the worker, and start both again.

        As docs/operations.md demands of a proxy, new requests wait from before the SIGTERM until
        the server answers again. The requests that the server accepted are still running.
        """
        self.takes_requests.clear()
        time.sleep(0.5)
        self._server.terminate()
        rig.kill(self._worker)
        assert self._server.wait(40) == 0
        self.start()
        rig.until(lambda: rig.is_up(self.port), what="the restarted server")
        self.takes_requests.set()


def test_a_restart_under_load_loses_no_request_and_no_mail(
    tmp_path: Path, mailserver: rig.MailServer
) -> None:
    people = [UserFactory(email=f"visitor{number}@example.org") for number in range(CLIENTS)]
    tally: collections.Counter[Any] = collections.Counter()

    with contextlib.ExitStack() as running:
        world = World(running, tmp_path / "log", mailserver.port)
        rig.until(lambda: rig.is_up(world.port), what="the server")
        visitors = [Visitor(number, world, tally) for number in range(CLIENTS)]
        crowd = [
            threading.Thread(target=it.visit, args=(time.monotonic() + SECONDS,)) for it in visitors
        ]
        for one in crowd:
            one.start()
        time.sleep(SECONDS / 2)
        world.restart()
        for one in crowd:
            one.join(60)
        world.run(
            "celery", "-A", "vineyard_group_fellowship", "beat", "-s", str(tmp_path / "schedule")
        )
        get_in = [visitor.can_sign_in() for visitor in visitors]
        waiting = OutgoingEmail.objects.filter(status__in=["queued", "sending"])
        rig.until(lambda: not waiting.exists(), seconds=60, pause=0.5, what="every mail to be sent")

    assert get_in == [True] * len(people)
    assert {what: count for what, count in tally.items() if not _is_right(what)} == {}, tally
    assert tally[200] > 20 * SECONDS
    assert_what_was_stored(tally[201], mailserver)


def assert_what_was_stored(registered: int, mailserver: rig.MailServer) -> None:
    assert set(OutgoingEmail.objects.values_list("status", flat=True)) <= {"sent", "suppressed"}
    assert len(mailserver.mails) >= OutgoingEmail.objects.filter(status="sent").count()
    assert User.objects.count() == CLIENTS + registered
    assert not UserSession.objects.filter(end_reason="reuse").exists()


def _is_right(what: Any) -> bool:
    return isinstance(what, int) and what < 300
