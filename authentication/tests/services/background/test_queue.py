"""authentication.services.background.queue: work after the answer."""

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
from authentication.services.background import schedule
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from authentication.utils.faults import Breaker

NOTE = f"{__name__}.note"
CRASH = f"{__name__}.crash"
notes: "queue.Queue[tuple[str, ...]]" = queue.Queue()

# The contract's second, and what the machine may take on top of it.
_PATIENCE = 1.0
_SLACK = 0.6


def note(*arguments: str) -> None:
    notes.put((*arguments, threading.current_thread().name))


def crash(*arguments: str) -> None:
    raise RuntimeError(*arguments)


def noted(timeout: float = 5.0) -> tuple[str, ...]:
    return notes.get(timeout=timeout)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    settings.HIBP_ENABLED = False
    monkeypatch.setattr(background, "_broker", Breaker())
    while not notes.empty():
        notes.get()
    yield
    # Nothing of this test may still run in the next one's database.
    for waiting in [
        background._pool.submit(threading.Event().wait, 0.01) for _ in range(background._THREADS)
    ]:
        waiting.result()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def broker_at(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that makes the broker a port of this machine."""

    def point(port: int) -> None:
        settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"
        app = Celery("test", set_as_current=False)
        app.config_from_object("django.conf:settings", namespace="CELERY")
        monkeypatch.setattr(background, "current_app", app)

    return point


# On commit.


@pytest.mark.django_db(transaction=True)
def test_work_starts_in_a_thread_once_the_transaction_is_committed() -> None:
    with transaction.atomic():
        background.enqueue(NOTE, "argument")
        with pytest.raises(queue.Empty):
            noted(timeout=0.1)

    argument, thread = noted()
    assert argument == "argument"
    assert thread.startswith("background")


@pytest.mark.django_db(transaction=True)
def test_work_is_forgotten_with_its_transaction() -> None:
    with transaction.atomic():
        background.enqueue(NOTE, "argument")
        transaction.set_rollback(rollback=True)

    with pytest.raises(queue.Empty):
        noted(timeout=0.2)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_work_starts_at_once() -> None:
    background.enqueue(NOTE)

    assert noted()[0].startswith("background")


@pytest.mark.django_db(transaction=True)
def test_a_task_that_crashes_stops_no_other() -> None:
    for _ in range(2 * background._THREADS):
        background.enqueue(CRASH, "a fault of ours")
    background.enqueue(NOTE, "after")

    assert noted()[0] == "after"


# The broker.


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_never_answers_delays_no_request_and_a_thread_does_the_work(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    broker_at(listener.getsockname()[1])

    start = time.monotonic()
    background.enqueue(NOTE, "first")
    enqueued = time.monotonic() - start
    argument, _ = noted()
    done = time.monotonic() - start

    assert argument == "first"
    assert enqueued < 0.4
    assert done < _PATIENCE + _SLACK


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_did_not_answer_is_left_alone_for_a_while(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    broker_at(listener.getsockname()[1])
    background.enqueue(NOTE, "first")
    noted()

    start = time.monotonic()
    background.enqueue(NOTE, "second")
    noted()

    # The broker's own patience is half a second.
    assert time.monotonic() - start < 0.4


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_refuses_costs_nothing(
    listener: socket.socket, broker_at: Callable[[int], None]
) -> None:
    port = listener.getsockname()[1]
    listener.close()
    broker_at(port)

    start = time.monotonic()
    background.enqueue(NOTE, "argument")
    argument, _ = noted()

    assert argument == "argument"
    assert time.monotonic() - start < _PATIENCE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "words",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-NOAUTH Authentication required.\r\n" * 9,
        b"-LOADING wait\r\n" * 9,
        b"",
    ],
    ids=["another protocol", "a password wanted", "still loading", "hangs up"],
)
def test_a_broker_that_answers_nonsense_costs_no_work(
    listener: socket.socket, broker_at: Callable[[int], None], words: bytes
) -> None:
    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1024)
                connection.sendall(words)

    server = threading.Thread(target=answer, daemon=True)
    server.start()
    broker_at(listener.getsockname()[1])

    background.enqueue(NOTE, "argument")

    assert noted()[0] == "argument"
    listener.shutdown(socket.SHUT_RDWR)
    server.join(timeout=2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hung", [True, False], ids=["hung", "refused"])
def test_without_a_broker_that_answers_a_mail_is_sent_by_a_thread(
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
    assert answered < _PATIENCE
    assert arrives(mailoutbox)
    assert mailoutbox[0].to == ["ruth@example.org"]
    background._pool.submit(time.sleep, 0.05).result()
    assert OutgoingEmail.objects.get().status == "sent"


def arrives(mailoutbox: list[EmailMessage]) -> bool:
    for _ in range(100):
        if mailoutbox:
            return True
        time.sleep(0.05)
    return False


# The schedule without a broker.


def test_each_entry_of_the_schedule_runs_when_it_is_due(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_SWEEP_SECONDS = 60
    settings.CELERY_BEAT_SCHEDULE = {
        "sweep": {"task": "sweep", "schedule": 60.0},
        "clean": {"task": "clean", "schedule": 3600, "args": ("audit",)},
    }
    runs: list[tuple[str, ...]] = []
    clock = iter(range(0, 10_000, 60))
    now = 0

    class Clock:
        def wait(self, _: float) -> bool:
            nonlocal now
            now = next(clock)
            return now > 3600

    monkeypatch.setattr(schedule, "Event", Clock)
    monkeypatch.setattr(schedule, "monotonic", lambda: now)
    monkeypatch.setattr(schedule, "run", lambda *call: runs.append(call))

    schedule._run_schedule()

    assert runs.count(("sweep",)) == 61
    assert runs.count(("clean", "audit")) == 2


@pytest.mark.parametrize(("broker", "starts"), [("", True), ("redis://127.0.0.1:1/0", False)])
def test_the_schedule_runs_in_this_process_only_without_a_broker(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, broker: str, *, starts: bool
) -> None:
    settings.EMAIL_SWEEP_SECONDS = 60
    settings.CELERY_BROKER_URL = broker
    started = threading.Event()
    monkeypatch.setattr(schedule, "_run_schedule", started.set)

    schedule.start_scheduler()

    assert started.wait(1 if starts else 0.1) is starts
