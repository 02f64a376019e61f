"""The server as it runs in production: at SIGTERM, and without its database."""

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from authentication.models import User

from . import rig
from .callers import Answered, Serve

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_requests_under_way_at_sigterm_are_answered(serve: Serve, person: User) -> None:
    # Slow hashes: all four are still being computed when the signal comes.
    caller, server = serve(
        ARGON2_MEMORY_KIB="32768", ARGON2_TIME_COST="16", WEB_CONCURRENCY="1", WEB_THREADS="4"
    )
    answers: list[tuple[float, int]] = []

    def sign_in() -> None:
        status = caller.sign_in(person)[0]
        answers.append((time.monotonic(), status))

    crowd = [threading.Thread(target=sign_in) for _ in range(4)]
    for one in crowd:
        one.start()
    time.sleep(0.2)
    server.send_signal(signal.SIGTERM)
    stopped_at = time.monotonic()
    for one in crowd:
        one.join(20)

    assert [status for _, status in answers] == [200] * 4
    assert min(at for at, _ in answers) > stopped_at
    assert server.wait(20) == 0
    with pytest.raises(ConnectionRefusedError):
        caller.sign_in(person)


@pytest.mark.parametrize("pool", ["0", "4"])
@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_lost_database_gives_503_and_the_service_recovers(
    serve: Serve, person: User, fault: str, pool: str
) -> None:
    wire = rig.Wire(5432)
    caller, _ = serve(DATABASE_URL=rig.database_url(wire.port), DB_POOL_SIZE=pool)
    assert caller.sign_in(person)[0] == 200
    getattr(wire, fault)()

    start = time.monotonic()
    status, problem, headers = caller.sign_in(person)
    waited = time.monotonic() - start
    health = caller.ask("GET", "/health/")
    live = caller.ask("GET", "/health/live/")
    wire.mend()

    assert (status, problem["code"]) == (503, "service_unavailable")
    assert int(headers["Retry-After"]) > 0
    assert waited < 10
    assert (health[0], health[1]["status"]) == (503, "unhealthy")
    assert live[0] == 200
    rig.until(lambda: caller.sign_in(person)[0] == 200, seconds=15, what="the service to come back")
    assert caller.ask("GET", "/health/")[0] == 200
    wire.close()


@pytest.mark.parametrize("pool", ["0", "4"])
def test_a_database_that_hangs_on_open_connections_costs_each_request_a_bounded_time(
    serve: Serve, person: User, pool: str
) -> None:
    wire = rig.Wire(5432)
    told = {
        "DATABASE_URL": rig.database_url(wire.port),
        "DB_POOL_SIZE": pool,
        "DB_STATEMENT_TIMEOUT_MS": "2000",
    }
    caller, _ = serve(**told, WEB_CONCURRENCY="1")
    assert {caller.sign_in(person)[0] for _ in range(4)} == {200}

    wire.freeze()
    start = time.monotonic()
    answers: list[Answered] = []
    crowd = [
        threading.Thread(target=lambda: answers.append(caller.sign_in(person))) for _ in range(4)
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(20)
    waited = time.monotonic() - start
    live = caller.ask("GET", "/health/live/")[0]
    wire.thaw()

    assert [status for status, *_ in answers] == [503] * 4
    assert all(int(headers["Retry-After"]) > 0 for *_, headers in answers)
    assert waited < 15
    assert live == 200
    rig.until(lambda: caller.sign_in(person)[0] == 200, seconds=15, what="the service to come back")
    wire.close()


@pytest.mark.parametrize(("pool", "lost"), [("0", 0), ("4", 1)])
def test_database_restart_fails_at_most_one_request_with_a_pool(
    serve: Serve, person: User, pool: str, lost: int
) -> None:
    caller, _ = serve(DB_POOL_SIZE=pool, WEB_CONCURRENCY="1")
    # At once, so that more than one thread has a connection.
    with ThreadPoolExecutor(4) as crowd:
        assert {status for status, *_ in crowd.map(lambda _: caller.sign_in(person), range(4))} == {
            200
        }

    with connection.cursor() as cursor:
        cursor.execute(
            # It waits, up to five seconds, until they have ended.
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] >= 2
    start = time.monotonic()

    answers = Counter(caller.sign_in(person)[0] for _ in range(6))

    assert answers[200] == 6 - answers[503]
    assert answers[503] <= lost
    assert time.monotonic() - start < 4


@pytest.mark.parametrize("pool", ["0", "4"])
def test_a_database_that_hangs_costs_a_scrape_a_bounded_time_and_its_gauges_alone(
    serve: Serve, person: User, pool: str
) -> None:
    wire = rig.Wire(5432)
    caller, _ = serve(
        DATABASE_URL=rig.database_url(wire.port), DB_POOL_SIZE=pool, WEB_CONCURRENCY="1"
    )
    assert caller.sign_in(person)[0] == 200
    assert "auth_active_sessions_total 1.0" in caller.text("/metrics")

    wire.freeze()
    texts, waited = [], []
    for _ in range(5):
        start = time.monotonic()
        texts.append(caller.text("/metrics"))
        waited.append(time.monotonic() - start)
    live = caller.ask("GET", "/health/live/")[0]
    wire.thaw()

    # 3 s for the answer on an open connection, then 3 s for a new connection.
    assert max(waited) < 8
    assert live == 200
    assert all('auth_login_attempts_total{status="success"} 1.0' in text for text in texts)
    assert not any("auth_active_sessions_total" in text for text in texts)
    rig.until(
        lambda: "auth_active_sessions_total 1.0" in caller.text("/metrics"),
        pause=1,
        what="the numbers again",
    )
    wire.close()
