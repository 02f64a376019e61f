"""Looking a password up among those known from breaches, without telling anybody the password."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connections
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient
from werkzeug import Request, Response

from authentication import tasks
from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User
from authentication.services.background import queue as background
from authentication.services.passwords import breach
from authentication.tests.clients import NEW_PASSWORD, Tokens, set_password, sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.utils import pwned
from authentication.utils.pwned import Unavailable, breached_suffixes

REGISTER = f"{API}/register/"
LONGEST_SECONDS = 6.0
NOISE = "".join(f"{n:035X}:{n + 1}\r\n" for n in range(800))

Queued = list[tuple[str, ...]]
Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _range_api(settings: Settings, httpserver: HTTPServer) -> None:
    settings.HIBP_ENABLED = True
    settings.HIBP_API_URL = httpserver.url_for("/range")


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Queued:
    """Return the list that what is handed to the background goes to."""
    tasks_given: Queued = []
    monkeypatch.setattr(breach, "enqueue", lambda *given: tasks_given.append(given))
    return tasks_given


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def serve(httpserver: HTTPServer, body: str, **answer: Any) -> None:
    httpserver.expect_request(f"/range/{sha1(NEW_PASSWORD)[:5]}").respond_with_data(body, **answer)


def breached(count: int = 3) -> str:
    return f"{NOISE}{sha1(NEW_PASSWORD)[5:]}:{count}\r\n{NOISE}"


def change(api: APIClient, tokens: Tokens) -> Any:
    asked = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = api.post(f"{API}/password/change/", asked, headers=bearer(tokens["access"]))
    assert answer.status_code == 200, answer.content
    return answer


def run(queued: Queued) -> None:
    """Do what was handed to the background."""
    for task, *arguments in queued:
        assert task == "authentication.tasks.check_breach"
        tasks.check_breach(*arguments)


def login(api: APIClient, user: User) -> dict[str, Any]:
    answer = api.post(f"{API}/login/", {"email": user.email, "password": NEW_PASSWORD})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()["user"]
    return found


class TestAHit:
    def test_the_account_is_flagged_audited_and_mailed_once(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        delivered: Deliver,
    ) -> None:
        serve(httpserver, breached())
        change(api, signed_in)

        run(queued)
        run(queued)

        person.refresh_from_db()
        row = AuditLog.objects.get(event_type="password_breached")
        assert person.password_breached_at is not None
        assert (row.user, row.risk_level, row.metadata) == (person, "high", {})
        assert OutgoingEmail.objects.filter(kind="breached_password").count() == 1
        assert [it.to for it in delivered() if it.subject == "Please choose another password"] == [
            [person.email]
        ]

    def test_every_sign_in_says_so_until_the_password_changes(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve(httpserver, breached())
        before = change(api, signed_in).json()
        assert "password_breached" not in login(api, person)

        run(queued)

        assert [login(api, person)["password_breached"] for _ in range(2)] == [True, True]
        asked = {"old_password": NEW_PASSWORD, "new_password": "Third-Horse-33"}
        api.post(f"{API}/password/change/", asked, headers=bearer(before["access"]))
        answer = api.post(f"{API}/login/", {"email": person.email, "password": "Third-Horse-33"})
        assert "password_breached" not in answer.json()["user"]

    def test_a_registration_is_looked_up(
        self, api: APIClient, queued: Queued, httpserver: HTTPServer
    ) -> None:
        serve(httpserver, breached())
        api.post(REGISTER, {"email": "ruth@example.org", "password": NEW_PASSWORD})

        run(queued)

        assert User.objects.get().password_breached_at is not None

    def test_a_reset_is_looked_up(
        self, api: APIClient, person: User, queued: Queued, httpserver: HTTPServer
    ) -> None:
        serve(httpserver, breached())
        token = PasswordResetToken.objects.issue(person, at=person.created_at)
        api.post(f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD})

        run(queued)

        person.refresh_from_db()
        assert person.password_breached_at is not None

    @pytest.mark.parametrize("ending", ["\r\n", "\n"])
    def test_the_ends_of_lines_are_no_matter(self, httpserver: HTTPServer, ending: str) -> None:
        serve(
            httpserver,
            ending.join([f"{'A' * 35}:1", f"{sha1(NEW_PASSWORD)[5:]}:2", f"{'B' * 35}:3"]),
        )

        assert sha1(NEW_PASSWORD)[5:] in breached_suffixes(sha1(NEW_PASSWORD)[:5])


class TestNoHit:
    @pytest.mark.parametrize("body", [NOISE, breached(count=0)], ids=["others", "padding"])
    def test_nothing_happens(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        body: str,
    ) -> None:
        serve(httpserver, body)
        change(api, signed_in)

        run(queued)

        person.refresh_from_db()
        assert len(queued) == 1
        assert person.password_breached_at is None
        assert not AuditLog.objects.filter(event_type="password_breached").exists()
        assert not OutgoingEmail.objects.filter(kind="breached_password").exists()

    def test_a_password_changed_meanwhile_is_not_flagged(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve(httpserver, breached())
        change(api, signed_in)
        person.refresh_from_db()
        set_password(person, "Third-Horse-33")

        run(queued)

        person.refresh_from_db()
        assert person.password_breached_at is None
        assert not AuditLog.objects.filter(event_type="password_breached").exists()

    def test_an_account_that_is_gone_is_no_fault(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve(httpserver, breached())
        change(api, signed_in)
        person.delete()

        run(queued)

        assert not OutgoingEmail.objects.filter(kind="breached_password").exists()

    def test_nobody_is_asked_where_the_settings_say_so(
        self,
        api: APIClient,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        settings: Settings,
    ) -> None:
        settings.HIBP_ENABLED = False

        change(api, signed_in)

        assert queued == []
        assert httpserver.log == []


class TestWhatLeavesTheProcess:
    def test_the_question_is_five_digits_and_asks_for_padding(
        self, api: APIClient, signed_in: Tokens, queued: Queued, httpserver: HTTPServer
    ) -> None:
        seen: list[Request] = []

        def remember(request: Request) -> Response:
            seen.append(request)
            return Response(NOISE)

        httpserver.expect_request("/range/").respond_with_data("")
        httpserver.expect_request(f"/range/{sha1(NEW_PASSWORD)[:5]}").respond_with_handler(remember)
        change(api, signed_in)

        run(queued)

        [request] = seen
        assert request.full_path.rstrip("?") == f"/range/{sha1(NEW_PASSWORD)[:5]}"
        assert request.headers["Add-Padding"] == "true"
        assert request.method == "GET"
        assert request.get_data() == b""
        assert not {"Authorization", "Cookie", "Referer"} & set(request.headers.keys())
        assert sha1(NEW_PASSWORD)[5:] not in str(request.headers).upper()

    def test_the_task_holds_nothing_the_password_could_be_guessed_from(
        self, api: APIClient, person: User, signed_in: Tokens, queued: Queued
    ) -> None:
        change(api, signed_in)

        person.refresh_from_db()
        [(task, user_id, changed_at, prefix, salt, mac)] = queued
        assert task == "authentication.tasks.check_breach"
        assert (user_id, changed_at) == (str(person.pk), person.password_changed_at.isoformat())
        assert prefix == sha1(NEW_PASSWORD)[:5]
        assert (len(salt), len(mac)) == (32, 64)
        hashes = [
            hashlib.new(name, NEW_PASSWORD.encode()).hexdigest()
            for name in ("md5", "sha1", "sha256")
        ]
        salted = [
            hashlib.sha256(text.encode()).hexdigest()
            for text in (
                salt + NEW_PASSWORD,
                NEW_PASSWORD + salt,
                salt + sha1(NEW_PASSWORD),
                sha1(NEW_PASSWORD) + salt,
            )
        ]
        told = " ".join(queued[0]).lower()
        assert not any(
            secret in told for secret in (NEW_PASSWORD.lower(), sha1(NEW_PASSWORD)[5:].lower())
        )
        assert not any(derived in told for derived in (*hashes, *salted))

    def test_the_same_password_looks_different_every_time(
        self, api: APIClient, queued: Queued, httpserver: HTTPServer
    ) -> None:
        for _ in range(2):
            change(api, sign_in(api, UserFactory()))

        first, second = queued
        assert first[4] != second[4]
        assert first[5] != second[5]

    def test_without_the_key_a_guess_cannot_be_checked(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        settings: Settings,
    ) -> None:
        serve(httpserver, breached())
        change(api, signed_in)
        settings.SECRET_KEY = "another-key-than-the-one-it-was-queued-under"

        run(queued)

        person.refresh_from_db()
        assert person.password_breached_at is None


@pytest.fixture
def tarpit() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that starts a server which does to each connection what it is told, and returns its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve_by(behaviour: Callable[[socket.socket], None]) -> str:
        def accept() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    behaviour(connection)
            except OSError:
                return

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/range"

    yield serve_by
    listener.close()
    for thread in threads:
        thread.join(timeout=0.1)


def says_nothing(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.recv(4096)


def hangs_up(connection: socket.socket) -> None:
    connection.recv(4096)


def stops_in_the_middle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + NOISE[:500].encode())
    connection.recv(4096)
    connection.recv(4096)


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n")
    for character in NOISE[:30]:
        connection.sendall(character.encode())
        time.sleep(0.1)


def speaks_no_http(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"\x00\xff" * 100)


def assert_unavailable_soon(limit: float = LONGEST_SECONDS) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        breached_suffixes(sha1(NEW_PASSWORD)[:5])
    assert time.monotonic() - started < limit


class TestTheServiceIsDown:
    @pytest.mark.parametrize(
        "behaviour",
        [says_nothing, hangs_up, stops_in_the_middle, speaks_no_http],
        ids=lambda it: it.__name__,
    )
    def test_it_is_given_up_on_soon(
        self, tarpit: Callable[..., str], settings: Settings, behaviour: Any
    ) -> None:
        settings.HIBP_API_URL = tarpit(behaviour)

        assert_unavailable_soon()

    def test_an_answer_that_drips_is_given_up_on_although_each_drop_is_in_time(
        self, tarpit: Callable[..., str], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pwned, "_WHOLE_SECONDS", 0.5)
        settings.HIBP_API_URL = tarpit(drips)

        assert_unavailable_soon(limit=2.0)

    def test_a_refused_connection_is_given_up_on_soon(self, settings: Settings) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            settings.HIBP_API_URL = f"http://127.0.0.1:{closed.getsockname()[1]}/range"

        assert_unavailable_soon()

    @pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 401, 403, 404, 429, 500, 502, 503])
    def test_anything_but_a_200_is_no_answer(self, httpserver: HTTPServer, status: int) -> None:
        httpserver.expect_request("/elsewhere").respond_with_data(breached())
        serve(
            httpserver,
            breached(),
            status=status,
            headers={"Location": httpserver.url_for("/elsewhere")},
        )

        assert_unavailable_soon()
        assert len(httpserver.log) == 1

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "\r\n",
            "<html>maintenance</html>",
            '{"error": "x"}',
            "\x00" * 500,
            "00D4:1",
            "caf\u00e9",
            "x" * 99,
        ],
        ids=ascii,
    )
    def test_what_makes_no_sense_is_no_answer(self, httpserver: HTTPServer, body: str) -> None:
        serve(httpserver, body)

        assert_unavailable_soon()

    def test_an_endless_body_is_no_answer(self, httpserver: HTTPServer) -> None:
        serve(httpserver, NOISE * 50)

        assert_unavailable_soon()

    @pytest.mark.parametrize("status", [500, 302])
    def test_nobodys_request_fails_and_nobody_is_flagged(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        monkeypatch: pytest.MonkeyPatch,
        *,
        status: int,
    ) -> None:
        serve(httpserver, breached(), status=status)
        timers = silent_timers(monkeypatch)

        change(api, signed_in)
        background.run(*queued[0])

        person.refresh_from_db()
        assert person.password_breached_at is None
        assert [pause for pause, *_ in timers] == [2]


Timer = tuple[float, Callable[..., None], tuple[str, ...], dict[str, int]]


def silent_timers(monkeypatch: pytest.MonkeyPatch) -> list[Timer]:
    """Catch what is put off, and leave the test its database connection."""
    caught: list[Timer] = []

    class Silent:
        daemon = False

        def __init__(self, *given: Any) -> None:
            caught.append(given)

        def start(self) -> None:
            assert self.daemon

    monkeypatch.setattr(threading, "Timer", Silent)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    return caught


class TestTryingAgain:
    def test_the_pauses_grow_and_end(
        self, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        serve(httpserver, "", status=503)
        timers = silent_timers(monkeypatch)
        arguments = (
            str(UserFactory().pk),
            "2026-11-22T12:00:00+00:00",
            sha1(NEW_PASSWORD)[:5],
            "salt",
            "mac",
        )

        background.run("authentication.tasks.check_breach", *arguments)
        for _, run_again, given, options in timers:
            run_again(*given, **options)

        assert [pause for pause, *_ in timers] == [2, 4, 8, 16, 32, 60]
        assert {given[1:] for _, _, given, _ in timers} == {
            ("authentication.tasks.check_breach", *arguments)
        }
        assert len(httpserver.log) == 7

    def test_a_later_success_is_the_end_of_it(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        path = f"/range/{sha1(NEW_PASSWORD)[:5]}"
        httpserver.expect_ordered_request(path).respond_with_data("", status=503)
        httpserver.expect_ordered_request(path).respond_with_data(breached())
        timers = silent_timers(monkeypatch)
        change(api, signed_in)

        background.run(*queued[0])
        [(_, run_again, given, options)] = timers
        run_again(*given, **options)

        person.refresh_from_db()
        assert person.password_breached_at is not None
        assert len(timers) == 1

    def test_a_fault_of_our_own_is_logged_without_a_secret_and_not_tried_again(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(**_: str) -> None:
            raise RuntimeError

        timers = silent_timers(monkeypatch)
        monkeypatch.setattr(tasks, "check", fail)

        background.run(
            "authentication.tasks.check_breach", "id", "time", "00000", "the-salt", "the-mac"
        )

        assert timers == []
        assert "background_task_failed" in caplog.text
        assert not any(secret in caplog.text for secret in ("the-salt", "the-mac"))

    def test_celery_follows_the_same_policy(self) -> None:
        policy: Any = tasks.check_breach

        assert policy.autoretry_for == (Unavailable,)
        assert (policy.retry_backoff, policy.retry_backoff_max, policy.max_retries) == (2, 60, 6)
