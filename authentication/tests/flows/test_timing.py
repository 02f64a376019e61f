"""The time of an answer does not tell whether an account exists."""

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.services.background import queue as background
from authentication.tests.clients import WRONG_PASSWORD
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory

SAMPLES = 60
TRIES = 3

Body = Callable[[str], dict[str, Any]]
BODIES: dict[str, Body] = {
    "login": lambda email: {"email": email, "password": WRONG_PASSWORD},
    "register": lambda email: {"email": email, "password": PASSWORD},
    "password/reset": lambda email: {"email": email},
    "email/resend": lambda email: {"email": email},
}

pytestmark = [pytest.mark.services, pytest.mark.security, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _as_in_production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hash at the lowest cost allowed, which hides least; send no mails."""
    assert connection.vendor == "postgresql", "These tests need PostgreSQL: set DATABASE_URL."
    settings.ARGON2_TIME_COST, settings.ARGON2_MEMORY_KIB, settings.ARGON2_PARALLELISM = 2, 19456, 1
    settings.RATELIMIT_ENABLE = False
    monkeypatch.setattr(background, "_pool", mock.Mock())
    gc.disable()
    yield
    gc.enable()


def create_accounts(prefix: str) -> list[str]:
    """Create one account per sample, so that none is locked; return their addresses."""
    people = [UserFactory(email=f"{prefix}{number}@example.org") for number in range(SAMPLES)]
    # One hash for all of them saves a minute and takes as long to compare.
    User.objects.update(password=make_password(PASSWORD))
    return [person.email for person in people]


def seconds(path: str, body: dict[str, Any]) -> float:
    client = APIClient()
    start = time.perf_counter()
    client.post(f"{API}/{path}/", body)
    return time.perf_counter() - start


def medians(path: str, prefix: str) -> tuple[float, float]:
    """Return the median times of a known and an unknown address, measured in turns."""
    known, unknown = (
        create_accounts(f"known-{prefix}"),
        [f"other-{prefix}{number}@example.org" for number in range(SAMPLES)],
    )
    body = BODIES[path]
    spent: tuple[list[float], list[float]] = ([], [])
    seconds(path, body(f"first-{prefix}@example.org"))
    for number, pair in enumerate(zip(known, unknown, strict=True)):
        for which in (0, 1) if number % 2 else (1, 0):
            spent[which].append(seconds(path, body(pair[which])))
    return statistics.median(spent[0]), statistics.median(spent[1])


def alike(
    path: str, is_alike: Callable[[float, float], bool]
) -> tuple[bool, list[tuple[float, float]]]:
    """Return whether the medians were alike in one of a few tries, and the medians."""
    found = []
    for attempt in itertools.count():
        found.append(medians(path, f"{path.replace('/', '-')}-{attempt}"))
        if is_alike(*found[-1]) or attempt + 1 == TRIES:
            return is_alike(*found[-1]), found
    raise AssertionError


@pytest.mark.parametrize("path", ["login", "register"])
def test_requests_that_hash_take_equally_long(path: str) -> None:
    passed, found = alike(path, lambda known, unknown: 0.8 <= known / unknown <= 1.25)

    assert passed, found


@pytest.mark.parametrize("path", ["password/reset", "email/resend"])
def test_requests_that_send_mail_take_equally_long(path: str) -> None:
    passed, found = alike(
        path, lambda known, unknown: abs(known - unknown) < max(0.0005, 0.15 * max(known, unknown))
    )

    assert passed, found
