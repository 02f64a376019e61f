"""Celery workers and mail while worker, mail server or broker fail."""

import contextlib
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from redis import Redis
from rest_framework.test import APIClient

from authentication.models import AccountExport, OutgoingEmail, TokenBlacklist, User
from authentication.services import ExportService
from authentication.services.accounts import export
from authentication.services.background.queue import enqueue
from authentication.services.mail.outbox import EmailService
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

from . import rig
from .conftest import StartWorker

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

REGISTER = f"{API}/register/"


def register(api: APIClient, name: str = "naomi") -> float:
    start = time.monotonic()
    answer = api.post(REGISTER, {"email": f"{name}@example.org", "password": PASSWORD})
    assert answer.status_code == 201, answer.content
    return time.monotonic() - start


def statuses() -> list[str]:
    return sorted(OutgoingEmail.objects.values_list("status", flat=True))


@pytest.mark.parametrize("pool", ["0", "2"])
def test_a_worker_sends_what_a_request_wrote_down(
    api: APIClient,
    redis: str,
    through: Callable[[str], None],
    start_worker: StartWorker,
    mailserver: rig.MailServer,
    pool: str,
) -> None:
    through(redis)
    start_worker(DB_POOL_SIZE=pool)

    register(api)

    rig.until(lambda: statuses() == ["sent"], what="the mail")
    assert len(mailserver.mails) == 1


def test_a_worker_killed_in_the_middle_of_a_mail_loses_none(
    api: APIClient,
    redis: str,
    through: Callable[[str], None],
    start_worker: StartWorker,
    mailserver: rig.MailServer,
) -> None:
    through(redis)
    mailserver.hangs = True
    worker = start_worker("mail")
    register(api)
    rig.until(lambda: mailserver.connections, what="the worker to call the mail server")

    rig.kill(worker)
    mailserver.hangs = False
    assert statuses() == ["sending"]
    start_worker()

    def swept() -> bool:
        # As beat does again and again: the dead worker's connection may swallow a task before Redis
        # knows it is dead.
        EmailService.sweep()
        return statuses() == ["sent"]

    rig.until(swept, pause=1, what="the mail")
    assert len(mailserver.mails) == 1


def test_a_mail_server_that_never_answers_keeps_no_other_work_back(
    api: APIClient,
    redis: str,
    through: Callable[[str], None],
    start_worker: StartWorker,
    mailserver: rig.MailServer,
) -> None:
    through(redis)
    mailserver.hangs = True
    TokenBlacklist.objects.create(jti="old", expires_at=timezone.now())
    start_worker("mail")
    start_worker("checks,upkeep")

    waited = [register(api, f"member{number}") for number in range(6)]
    rig.until(lambda: mailserver.connections >= 2, what="both senders to be stuck")
    enqueue("authentication.tasks.clean", "blacklist")

    assert max(waited) < 2
    rig.until(lambda: not TokenBlacklist.objects.exists(), seconds=8, what="the other work")
    assert "sent" not in statuses()


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_stopped_mailer_gets_each_mail_once(
    api: APIClient, redis: str, through: Callable[[str], None], *, is_lost: bool
) -> None:
    through(redis)
    server = Redis.from_url(redis)
    server.delete("mail")
    for number in range(3):
        register(api, f"member{number}")
    rig.until(lambda: server.llen("mail") == 3, what="the tasks")
    if is_lost:
        server.delete("mail")

    for _ in range(4):
        EmailService.sweep()
        rig.until(lambda: server.llen("mail") == 3, what="the tasks")
        time.sleep(0.2)

    assert server.llen("mail") == 3
    server.delete("mail")


def is_longer(server: Any, length: int) -> bool:
    return bool(server.llen("upkeep") > length)


def test_a_stopped_worker_gets_exports_beside_other_tasks_but_not_on_and_on(
    person: User,
    redis: str,
    through: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "_QUEUE_FULL", 5)
    through(redis)
    server = Redis.from_url(redis)
    server.delete("upkeep")
    AccountExport.objects.create(user=person)
    for _ in range(3):
        enqueue("authentication.tasks.clean", "blacklist")
    rig.until(lambda: server.llen("upkeep") == 3, what="the other tasks")

    lengths = []
    for _ in range(5):
        before = server.llen("upkeep")
        ExportService.sweep()
        if before < 5:
            rig.until(partial(is_longer, server, before), what="the task")
        else:
            time.sleep(0.3)
        lengths.append(server.llen("upkeep"))

    assert lengths == [4, 5, 5, 5, 5]
    server.delete("upkeep")


# These hold a request to one second.
@pytest.mark.alone
class TestABrokerThatIs:
    @pytest.fixture(params=["hung", "refused"])
    def gone(self, request: pytest.FixtureRequest) -> Any:
        with contextlib.ExitStack() as open_until_the_end:
            listener = open_until_the_end.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            if request.param == "refused":
                listener.close()
            yield f"redis://127.0.0.1:{port}/0"

    def test_unavailable_delays_no_request_and_the_mail_is_sent(
        self, api: APIClient, gone: str, through: Callable[[str], None], mailoutbox: list[Any]
    ) -> None:
        through(gone)

        waited = register(api)

        assert waited < 1
        rig.until(lambda: statuses() == ["sent"], seconds=6, what="a thread to send the mail")
        assert len(mailoutbox) == 1

    def test_back_again_gets_the_tasks_and_each_mail_goes_once(
        self,
        api: APIClient,
        redis: str,
        through: Callable[[str], None],
        start_worker: StartWorker,
        mailserver: rig.MailServer,
        mailoutbox: list[Any],
    ) -> None:
        server = urlsplit(redis)
        wire = rig.Wire(server.port or 6379)
        through(server._replace(netloc=f"127.0.0.1:{wire.port}").geturl())
        start_worker()
        wire.silence()
        first = register(api, "first")
        rig.until(lambda: statuses() == ["sent"], seconds=6, what="a thread to send the mail")

        wire.mend()
        time.sleep(0.6)
        second = register(api, "second")

        rig.until(lambda: statuses() == ["sent", "sent"], what="the worker to send the mail")
        wire.close()
        assert max(first, second) < 1
        assert (len(mailoutbox), len(mailserver.mails)) == (1, 1)
