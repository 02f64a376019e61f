"""Passwords and tokens are in no log, table, cache, mail's context or task's arguments (V14.2.4, V16.2.5)."""

import base64
import hashlib
import json
import logging
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction
from django_redis import get_redis_connection
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.services import (
    AuthenticationService,
    EmailVerificationService,
    ExchangeTokenService,
    PasswordService,
    RegistrationService,
    SecondFactorService,
    TokenService,
)
from authentication.services.background import queue as background
from authentication.tasks import check_breach
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer, deliver_due, token_in
from vineyard_group_fellowship.settings.test import DATA_UPLOAD_MAX_MEMORY_SIZE

from .logged import logged

EMAIL = "naomi@example.org"
PASSWORD_FIELDS = ("password", "new_password", "old_password")
SECRET_FIELDS = (*PASSWORD_FIELDS, "token", "refresh", "exchange_token", "mfa_token", "otp")

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.integration,
    pytest.mark.time_machine(NOON, tick=False),
]


def new_password() -> str:
    return f"Canary-{uuid.uuid4().hex}-Q"


class Watched:
    """A client that remembers every secret it sends or is sent."""

    def __init__(self) -> None:
        self.api = APIClient()
        self.secrets: dict[str, str] = {}

    def post(
        self, path: str, body: dict[str, Any], expected: int, **headers: str
    ) -> dict[str, Any]:
        for field in PASSWORD_FIELDS:
            if field in body:
                self.keep(field, body[field])
        answer: Any = self.api.post(f"{API}/{path}/", body, headers=headers)
        assert answer.status_code == expected, answer.content
        self.keep("cookie", getattr(self.api.cookies.get("refresh_token"), "value", ""))
        self.api.cookies.clear()
        told: dict[str, Any] = answer.json()
        for field in ("access", "refresh", "exchange_token"):
            self.keep(field, told.get(field, ""))
        return told

    def mailed(self) -> str:
        """Return the token of the newest mail with one."""
        deliver_due()
        token = token_in([message for message in mail.outbox if "?token=" in str(message.body)][-1])
        return self.keep("mailed", token)

    def keep(self, name: str, secret: str) -> str:
        if secret and secret not in self.secrets.values():
            self.secrets[f"{name} {len(self.secrets)}"] = secret
        return secret

    def found_in(self, text: str) -> list[str]:
        """Return the names of the secrets a text holds, in any spelling it could be turned back from."""
        return [
            name
            for name, secret in self.secrets.items()
            if any(it in text for it in spellings(name, secret))
        ]


def spellings(name: str, secret: str) -> Iterator[str]:
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    if "password" in name:
        # A password may be guessed from its plain hash, whole or but for the five letters that are
        # asked for.
        sha1 = hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest()
        yield from (sha1[5:], sha1[5:].upper())
    if secret.count(".") == 2:
        yield secret.rpartition(".")[2]


def everything_stored() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- the database's own names
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def everything_cached() -> str:
    cache: Any = caches["default"]
    if isinstance(cache, LocMemCache):
        return "\n".join(
            repr(item) for name in ("default", "limits") for item in stored_in(caches[name])
        )
    server = get_redis_connection("default")
    return "\n".join(f"{key} {server.get(key)}" for key in server.scan_iter("vgf*"))


def stored_in(cache: Any) -> Any:
    return cache._cache.items()


class Tasks:
    """What would have been sent to a worker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def submit(
        self, _: Callable[..., None], task: str, arguments: tuple[str, ...], *rest: object
    ) -> None:
        self.sent.append((task, arguments))

    def run_breach_checks(self) -> None:
        for task, arguments in self.sent:
            if task.endswith("check_breach"):
                check_breach(*arguments)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Tasks:
    sent = Tasks()
    monkeypatch.setattr(background, "_pool", sent)
    # A test's own transaction is never committed.
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    settings.HIBP_ENABLED = True
    return sent


def known_from_a_breach(monkeypatch: pytest.MonkeyPatch, watched: Watched) -> None:
    """Let every password be known."""

    def suffixes(prefix: str) -> list[str]:
        hashes = [
            hashlib.sha1(it.encode(), usedforsecurity=False).hexdigest().upper()
            for it in watched.secrets.values()
        ]
        return [found[5:] for found in hashes if found.startswith(prefix)]

    monkeypatch.setattr("authentication.services.passwords.breach.breached_suffixes", suffixes)


def become_a_member(watched: Watched) -> str:
    """Return the password."""
    password = new_password()
    newcomer = {
        "email": EMAIL,
        "username": "naomi",
        "password": password,
        "password_confirm": password,
    }
    watched.post("register", newcomer, 201)
    watched.post("register", {**newcomer, "username": "orpah"}, 201)
    watched.post("register", {"email": password, "password": password}, 400)
    watched.post("login", {"email": EMAIL, "password": password}, 403)
    watched.post("email/verify", {"token": watched.keep("no link", new_password())}, 400)
    link = watched.mailed()
    watched.api.get(f"/account/verify-email/?token={link}")
    verified = watched.post("email/verify", {"token": link}, 200)
    watched.post("email/verify", {"token": link}, 400)
    exchanged = watched.post("exchange-token", {"exchange_token": verified["exchange_token"]}, 200)
    watched.post("exchange-token", {"exchange_token": verified["exchange_token"]}, 400)
    watched.post("token/refresh", {"refresh": exchanged["refresh"]}, 401)
    return password


def sign_in_and_be_robbed(watched: Watched, password: str, clock: TimeMachineFixture) -> None:
    watched.post("login", {"email": EMAIL, "password": new_password()}, 401)
    # People type their password into the wrong field.
    watched.post("login", {"email_or_username": password, "password": password}, 401)
    first = watched.post("login", {"email": EMAIL, "password": password}, 200)
    watched.api.get(f"{ME}?access_token={first['access']}")
    watched.post("token/verify", {"token": first["access"]}, 200)
    watched.post("token/verify", {"token": first["refresh"]}, 401)
    second = watched.post("token/refresh", {"refresh": first["refresh"]}, 200)
    watched.post("token/verify", {"token": second["access"]}, 200)
    clock.shift(11)
    watched.post("token/refresh", {"refresh": first["refresh"]}, 401)


def change_the_password(watched: Watched, old: str) -> None:
    new = new_password()
    tokens = watched.post("login", {"username": "naomi", "password": old}, 200)
    wrong = {"old_password": new_password(), "new_password": new}
    watched.post("password/change", wrong, 400, **bearer(tokens["access"]))
    right = {"old_password": old, "new_password": new, "new_password_confirm": new}
    tokens = watched.post("password/change", right, 200, **bearer(tokens["access"]))
    watched.post("logout", {"refresh": tokens["refresh"]}, 200, **bearer(tokens["access"]))
    watched.post("logout", {"refresh": tokens["refresh"]}, 401, **bearer(tokens["access"]))


def forget_the_password(watched: Watched, old: str) -> None:
    new = new_password()
    watched.post("password/reset", {"email": EMAIL}, 200)
    link = watched.mailed()
    watched.api.get(f"/account/reset-password/?token={link}")
    watched.post("password/reset/confirm", {"token": link, "new_password": old}, 400)
    watched.post("password/reset/confirm", {"token": link, "new_password": new}, 200)
    watched.post("password/reset/confirm", {"token": link, "new_password": new}, 400)
    for _ in range(4):
        watched.post("login", {"email": EMAIL, "password": new_password()}, 401)
    watched.post("login", {"email": EMAIL, "password": new}, 403)


def send_what_cannot_be_read(watched: Watched) -> None:
    secret = watched.keep("password unread", new_password())
    texts = {
        400: (f'{{"email": "{EMAIL}", "password": "{secret}"', "application/json"),
        413: (secret * (DATA_UPLOAD_MAX_MEMORY_SIZE // len(secret) + 1), "application/json"),
        415: (secret, f"text/{secret}"),
    }
    for status, (text, content_type) in texts.items():
        answer = watched.api.post(
            f"{API}/login/?password={secret}", text, content_type=content_type
        )
        assert answer.status_code == status


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_is_logged_stored_cached_or_sent_to_a_task(
    form: str,
    settings: Settings,
    tasks: Tasks,
    time_machine: TimeMachineFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RATELIMIT_ENABLE = False
    # Every request is logged, as slow and as making too many queries.
    settings.SLOW_REQUEST_SECONDS, settings.QUERY_BUDGET = -1, -1
    watched = Watched()
    known_from_a_breach(monkeypatch, watched)

    with logged(form) as log:
        password = become_a_member(watched)
        sign_in_and_be_robbed(watched, password, time_machine)
        change_the_password(watched, password)
        forget_the_password(watched, password)
        send_what_cannot_be_read(watched)
        tasks.run_breach_checks()
        deliver_due()

    assert len(watched.secrets) > 20
    assert all(event in log.getvalue() for event in ("query_budget_exceeded", "slow_request"))
    assert User.objects.get().password_breached_at
    assert {task for task, _ in tasks.sent} == {
        "authentication.tasks.deliver_email",
        "authentication.tasks.check_breach",
    }
    places = {
        "the log": log.getvalue(),
        "the database": everything_stored(),
        "the cache": everything_cached(),
        "the tasks": str(tasks.sent),
    }
    assert {place: watched.found_in(text) for place, text in places.items()} == {
        place: [] for place in places
    }


CRASHES = [
    ("register", RegistrationService, "register", {"email": EMAIL}),
    ("login", AuthenticationService, "log_in", {"email": EMAIL}),
    ("token/refresh", TokenService, "rotate", {}),
    ("token/verify", TokenService, "authenticate", {}),
    ("exchange-token", ExchangeTokenService, "redeem", {}),
    ("email/verify", EmailVerificationService, "verify", {}),
    ("password/reset/confirm", PasswordService, "reset", {}),
    ("logout", AuthenticationService, "log_out", {}),
    ("2fa/verify", SecondFactorService, "finish_sign_in", {}),
]


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    ("path", "service", "method", "asked"), CRASHES, ids=[crash[0] for crash in CRASHES]
)
def test_a_crash_tells_where_it_happened_and_with_what_no_secret(
    path: str,
    service: type,
    method: str,
    asked: dict[str, str],
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(**given: Any) -> None:
        remembered = dict(given)
        raise LookupError(f"the fault, with {len(remembered)} values")

    monkeypatch.setattr(service, method, crash)
    watched = Watched()
    secrets = {name: watched.keep(name, new_password()) for name in SECRET_FIELDS}
    watched.api.cookies["refresh_token"] = watched.keep("sent cookie", new_password())
    headers = bearer(watched.keep("bearer", new_password()))

    with logged(form) as log:
        answer = watched.api.post(
            f"{API}/{path}/?token={secrets['token']}", {**secrets, **asked}, headers=headers
        )

    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert "the fault, with" in log.getvalue()
    assert method in log.getvalue() or "crash" in log.getvalue()
    assert (
        watched.found_in(
            log.getvalue() + answer.content.decode() + everything_stored() + everything_cached()
        )
        == []
    )


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    ("message", "line"),
    [
        ('"%s" %s %s', "GET /account/reset-password/?token={secret} HTTP/1.1"),
        ('"%s" %s %s', "GET /api/v1/auth/sessions/?a=1&access_token={secret}#x HTTP/1.1"),
        (
            "code %d, message %s",
            "Bad request syntax ('GET /account/verify-email/?token={secret} HTTP/9')",
        ),
        ("- Broken pipe from %s\n", "/account/verify-email/?token={secret}"),
    ],
    ids=["page", "API", "malformed", "broken"],
)
def test_a_servers_request_line_is_cut_before_its_query(form: str, message: str, line: str) -> None:
    watched = Watched()
    line = line.format(secret=watched.keep("mailed", new_password()))
    arguments: tuple[Any, ...] = {3: (line, "200", "1234"), 2: (400, line), 1: (line,)}[
        message.count("%")
    ]

    with logged(form) as log:
        logging.getLogger("django.server").warning(message, *arguments)

    assert re.search(r"/account/|/api/", log.getvalue())
    assert watched.found_in(log.getvalue()) == []


def test_an_event_is_found_by_the_name_the_caller_gave_its_request(settings: Settings) -> None:
    settings.SLOW_REQUEST_SECONDS = -1
    name = f"flow-{uuid.uuid4().hex}"

    with logged("json") as log:
        answer: Any = APIClient().post(
            f"{API}/login/",
            {"email": EMAIL, "password": new_password()},
            headers={"X-Correlation-ID": name},
        )

    assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == name
    assert AuditLog.objects.get().correlation_id == name
    assert {json.loads(line)["correlation_id"] for line in log.getvalue().splitlines()} == {name}
