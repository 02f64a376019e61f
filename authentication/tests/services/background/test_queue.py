"""services/background/queue.py: tasks after the answer."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from celery import Celery
from django.core.mail import EmailMessage
from django.db import transaction
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail
from authentication.services.background import queue as background
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from authentication.utils.faults import Breaker

NOTE = f"{__name__}.note"
CRASH = f"{__name__}.crash"
notes: "queue.Queue[tuple[str, ...]]" = queue.Queue()


# A task starts within a second; the slack is for a busy machine.
_LONGEST_SECONDS = 1.0


_SLACK = 0.6


def note(*arguments: str) -> None:
    notes.put((*arguments, threading.current_thread().name))


def crash(*arguments: str) -> None:
    raise RuntimeError(*arguments)


def next_note(timeout: float = 5.0) -> tuple[str, ...]:
    return notes.get(timeout=timeout)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    settings.HIBP_ENABLED = False
    monkeypatch.setattr(background, "_broker", Breaker())
    while not notes.empty():
        notes.get()
    yield
    # No task may still run in the database of the next test.
    for waiting in [
        background._pool.submit(threading.Event().wait, 0.01) for _ in range(background._THREADS)
    ]:
        waiting.result()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Return a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def broker_at(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that sets the broker to a port of this machine."""

    def point(port: int) -> None:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"
        app = Celery("test", set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        monkeypatch.setattr(background, "current_app", app)

    return point


@pytest.mark.django_db(transaction=True)
def test_a_task_starts_in_a_thread_after_the_commit() -> None:
    with transaction.atomic():
        background.enqueue(NOTE, "argument")
        with pytest.raises(queue.Empty):
            next_note(timeout=0.1)

    argument, thread = next_note()
    assert argument == "argument"
    assert thread.startswith("background")


@pytest.mark.django_db(transaction=True)
def test_a_rollback_drops_the_task() -> None:
    with transaction.atomic():
        background.enqueue(NOTE, "argument")
        transaction.set_rollback(rollback=True)

    with pytest.raises(queue.Empty):
        next_note(timeout=0.2)


@pytest.mark.django_db(transaction=True)
def test_a_task_outside_a_transaction_starts_at_once() -> None:
    background.enqueue(NOTE)

    assert next_note()[0].startswith("background")


@pytest.mark.django_db(transaction=True)
def test_a_crashing_task_does_not_stop_others() -> None:
    for _ in range(2 * background._THREADS):
        background.enqueue(CRASH, "a fault")
    background.enqueue(NOTE, "after")

    assert next_note()[0] == "after"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_silent_broker_delays_no_request_and_a_thread_runs_the_task(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    broker_at(listener.getsockname()[1])

    start = time.monotonic()
    background.enqueue(NOTE, "first")
    enqueued = time.monotonic() - start
    argument, _ = next_note()
    done = time.monotonic() - start

    assert argument == "first"
    assert enqueued < 0.4
    assert done < _LONGEST_SECONDS + _SLACK


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_silent_broker_is_not_asked_again_for_a_while(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    broker_at(listener.getsockname()[1])
    background.enqueue(NOTE, "first")
    next_note()

    start = time.monotonic()
    background.enqueue(NOTE, "second")
    next_note()

    # The timeout of the broker is half a second.
    assert time.monotonic() - start < 0.4


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_refuses_connections_delays_nothing(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    port = listener.getsockname()[1]
    listener.close()
    broker_at(port)

    start = time.monotonic()
    background.enqueue(NOTE, "argument")
    argument, _ = next_note()

    assert argument == "argument"
    assert time.monotonic() - start < _LONGEST_SECONDS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-NOAUTH Authentication required.\r\n" * 9,
        b"-LOADING wait\r\n" * 9,
        b"",
    ],
    ids=["another protocol", "needs a password", "still loading", "hangs up"],
)
def test_a_broker_with_malformed_answers_loses_no_task(
    listener: socket.socket, broker_at: Callable[[int], None], reply: bytes
) -> None:
    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(reply)

    server = threading.Thread(target=answer, daemon=True)
    server.start()
    broker_at(listener.getsockname()[1])

    background.enqueue(NOTE, "argument")

    assert next_note()[0] == "argument"
    listener.shutdown(socket.SHUT_RDWR)
    server.join(timeout=2)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hung", [True, False], ids=["hung", "refused"])
def test_a_thread_sends_the_mail_without_a_broker(
    api: APIClient,
    listener: socket.socket,
    broker_at: Callable[[int], None],
    mailoutbox: list[EmailMessage],
    *,
    hung: bool,
) -> None:
    port = listener.getsockname()[1]
    if not hung:
        listener.close()
    broker_at(port)

    start = time.monotonic()
    answer = api.post(f"{API}/register/", {"email": "ruth@example.org", "password": PASSWORD})
    answered = time.monotonic() - start

    assert answer.status_code == 201
    assert answered < _LONGEST_SECONDS
    assert arrives(mailoutbox)
    assert mailoutbox[0].to == ["ruth@example.org"]
    background._pool.submit(time.sleep, 0.05).result()
    assert OutgoingEmail.objects.get().status == "sent"


def arrives(mailoutbox: list[EmailMessage]) -> bool:
    """Return whether a mail is sent within five seconds."""
    for _ in range(100):
        if mailoutbox:
            return True
        time.sleep(0.05)
    return False
