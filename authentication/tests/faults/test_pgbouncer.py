"""The service behind PgBouncer in transaction mode, as docker-compose.yml configures it."""

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection

from authentication.models import AuditLog, User
from authentication.tests.factories import UserFactory
from authentication.tests.test_deployment_files import ROOT, compose_with

from . import rig
from .callers import Caller

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NAME = "vineyard_group_fellowship"


# What a shell, PgBouncer's list of users and a URL each have a meaning for.
PASSWORD = """moab" '$HOME` #%\\"""
SERVICE = compose_with(DB_PASSWORD="moab")["services"]["pgbouncer"]
CONFIG = str(compose_with()["configs"]["pgbouncer"]["content"])


def write_users(path: Path, user: str) -> None:
    """Write the list of users as the container does, without starting PgBouncer."""
    shell, options, script = SERVICE["entrypoint"]
    assert SERVICE["environment"]["DB_PASSWORD"] == "moab"
    told = script.replace("/tmp/userlist.txt", f"'{path}'")  # noqa: S108 -- the container's own
    told, _, started = told.partition("exec ")
    assert started == "/usr/bin/pgbouncer /etc/pgbouncer/pgbouncer.ini\n"
    environment = {"PATH": os.environ["PATH"], "DB_USER": user, "DB_PASSWORD": PASSWORD}
    subprocess.run([shell, options, told], env=environment, check=True)  # noqa: S603 -- the file's
    path.chmod(0o644)


@pytest.fixture
def bouncer(tmp_path: Path) -> Iterator[str]:
    """Return the address of a PgBouncer with two connections to the test's database."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "PgBouncer is not installed (Debian: apt-get install pgbouncer)."
    at, port = connection.settings_dict, rig.free_port()
    server = f"host={at['HOST']} port={at['PORT'] or 5432} dbname={at['NAME']}"
    server += f" password={at['PASSWORD']}" if at["PASSWORD"] else ""
    users = tmp_path / "users"
    write_users(users, at["USER"])
    changed = {
        "host=postgres port=5432": server,
        "listen_port = 6432": f"listen_port = {port}",
        "/tmp/userlist.txt": str(users),  # noqa: S108 -- the container's own
        "default_pool_size = 20": "default_pool_size = 2",
        "listen_addr = *": "listen_addr = 127.0.0.1\nunix_socket_dir =",
    }
    text = CONFIG
    for word, other in changed.items():
        assert text.count(word) == 1, word
        text = text.replace(word, other)
    written = tmp_path / "pgbouncer.ini"
    # It does not run as root.
    written.write_text(text + ("user = nobody\n" if os.geteuid() == 0 else ""), encoding="utf-8")
    with (tmp_path / "pgbouncer.log").open("wb") as log:
        running = subprocess.Popen(  # noqa: S603 -- our own command
            [program, str(written)], stdout=log, stderr=log
        )
    address = f"postgres://{at['USER']}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/{NAME}"
    try:
        rig.until(lambda: answers(address), what="PgBouncer")
        yield address
    finally:
        running.kill()
        running.wait()


def answers(address: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(address, connect_timeout=3):
        return True
    return False


@pytest.fixture(params=["0", "3"], ids=["no pool", "a pool"])
def environment(bouncer: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the environment of a process behind PgBouncer, with a pool of its own and without."""
    return {"DATABASE_URL": bouncer, "PGBOUNCER": "True", "DB_POOL_SIZE": request.param}


def test_many_share_two_connections_and_each_gets_the_right_answer(
    environment: dict[str, str], person: User, tmp_path: Path
) -> None:
    port = rig.free_port()
    caller, seen = Caller(port), Counter[Any]()
    # A sixth simultaneous sign-in to one account may be refused (ADR 3).
    people = [person, UserFactory()]

    def come_and_go(user: User) -> None:
        for _ in range(4):
            status, body, _ = caller.sign_in(user)
            seen[status] += 1
            status, body, _ = caller.ask("POST", "/token/refresh/", {"refresh": body["refresh"]})
            seen[status] += 1

    with rig.process(
        *rig.SERVER,
        log=tmp_path / "log",
        PORT=str(port),
        WEB_CONCURRENCY="2",
        WEB_THREADS="3",
        **environment,
    ):
        rig.until(caller.is_up, what="the server")
        crowd = [threading.Thread(target=come_and_go, args=(user,)) for user in people * 3]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join(60)

    assert seen == {200: 48}
    assert [user.sessions.count() for user in people] == [12, 12]


@contextlib.contextmanager
def bustle(address: str) -> Iterator[None]:
    """Keep PgBouncer's connections changing hands."""
    over = threading.Event()

    def ask() -> None:
        with psycopg.connect(address, autocommit=True, prepare_threshold=None) as it:
            while not over.is_set():
                it.execute("SELECT pg_sleep(0.002)")

    crowd = [threading.Thread(target=ask) for _ in range(3)]
    for one in crowd:
        one.start()
    yield
    over.set()
    for one in crowd:
        one.join(10)


def test_a_long_list_is_whole_though_its_connection_changes(
    bouncer: str, environment: dict[str, str], person: User
) -> None:
    events = [AuditLog(user=person, event_type=AuditLog.Event.REGISTRATION) for _ in range(8_000)]
    AuditLog.objects.bulk_create(events, batch_size=2_000)

    with bustle(bouncer):
        done = subprocess.run(
            [sys.executable, "manage.py", "export_audit_log", "--format", "jsonl"],
            cwd=ROOT,
            env=rig.environment(**environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 8_000


def test_statements_and_waiting_for_locks_are_bounded_all_the_same(bouncer: str) -> None:
    with psycopg.connect(bouncer, prepare_threshold=None) as it:
        bounds = [
            it.execute(f"SHOW {name}").fetchone() for name in ("statement_timeout", "lock_timeout")
        ]

    assert bounds == [("5s",), ("2s",)]


def test_without_the_switch_pgbouncer_refuses_and_says_why(bouncer: str) -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "showmigrations", "authentication"],
        cwd=ROOT,
        env=rig.environment(DATABASE_URL=bouncer, PGBOUNCER="False"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode != 0
    assert "unsupported startup parameter: options" in refused.stderr
