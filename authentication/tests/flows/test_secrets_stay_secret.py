"""Passwords and tokens are in no log, table, cache or task."""

import hashlib

import pytest
from django.db import transaction
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer, deliver_due
from vineyard_group_fellowship.settings.test import DATA_UPLOAD_MAX_MEMORY_SIZE

from .logged import logged
from .watched import (
    EMAIL,
    CaughtTasks,
    WatchedClient,
    everything_cached,
    everything_stored,
    new_password,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.integration,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> CaughtTasks:
    sent = CaughtTasks()
    monkeypatch.setattr(background, "_pool", sent)
    # The transaction of a test is never committed.
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    settings.HIBP_ENABLED = True
    return sent


def list_every_password_as_breached(
    monkeypatch: pytest.MonkeyPatch, watched: WatchedClient
) -> None:
    """Make the breach check find every password."""

    def suffixes(prefix: str) -> list[str]:
        hashes = [
            hashlib.sha1(it.encode(), usedforsecurity=False).hexdigest().upper()
            for it in watched.secrets.values()
        ]
        return [found[5:] for found in hashes if found.startswith(prefix)]

    monkeypatch.setattr("authentication.services.passwords.breach.breached_suffixes", suffixes)


def join(watched: WatchedClient) -> str:
    """Register, verify and sign in; return the password."""
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


def sign_in_and_replay_a_token(
    watched: WatchedClient, password: str, clock: TimeMachineFixture
) -> None:
    watched.post("login", {"email": EMAIL, "password": new_password()}, 401)
    # Users sometimes type their password into the wrong field.
    watched.post("login", {"email_or_username": password, "password": password}, 401)
    first = watched.post("login", {"email": EMAIL, "password": password}, 200)
    watched.api.get(f"{ME}?access_token={first['access']}")
    watched.post("token/verify", {"token": first["access"]}, 200)
    watched.post("token/verify", {"token": first["refresh"]}, 401)
    second = watched.post("token/refresh", {"refresh": first["refresh"]}, 200)
    watched.post("token/verify", {"token": second["access"]}, 200)
    clock.shift(21)
    watched.post("token/refresh", {"refresh": first["refresh"]}, 401)


def change_the_password(watched: WatchedClient, old: str) -> None:
    new = new_password()
    tokens = watched.post("login", {"username": "naomi", "password": old}, 200)
    wrong = {"old_password": new_password(), "new_password": new}
    watched.post("password/change", wrong, 400, **bearer(tokens["access"]))
    right = {"old_password": old, "new_password": new, "new_password_confirm": new}
    tokens = watched.post("password/change", right, 200, **bearer(tokens["access"]))
    watched.post("logout", {"refresh": tokens["refresh"]}, 200, **bearer(tokens["access"]))
    watched.post("logout", {"refresh": tokens["refresh"]}, 401, **bearer(tokens["access"]))


def reset_the_password(watched: WatchedClient, old: str) -> None:
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


def send_malformed_bodies(watched: WatchedClient) -> None:
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
    tasks: CaughtTasks,
    time_machine: TimeMachineFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RATELIMIT_ENABLE = False
    # Every request is logged as slow and as exceeding its query budget.
    settings.SLOW_REQUEST_SECONDS, settings.QUERY_BUDGET = -1, -1
    watched = WatchedClient()
    list_every_password_as_breached(monkeypatch, watched)

    with logged(form) as log:
        password = join(watched)
        sign_in_and_replay_a_token(watched, password, time_machine)
        change_the_password(watched, password)
        reset_the_password(watched, password)
        send_malformed_bodies(watched)
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
