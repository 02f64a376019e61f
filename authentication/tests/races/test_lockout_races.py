"""Concurrent wrong passwords: five are compared."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User, UserSession
from authentication.services.passwords.hashers import ServiceArgon2Hasher
from authentication.services.sign_in.lock_reports import LockReportService
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

from .crowd import posts, statuses

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    # Fifty connections at once: one such test at a time.
    pytest.mark.xdist_group("many connections"),
]

URL = f"{API}/login/"
GUESSES, RIGHT = 50, 12


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[[], int]]:
    """Return a function that counts the calls of one of the hasher's methods from then on."""

    def count(method: str) -> Callable[[], int]:
        calls: list[str] = []
        original = getattr(ServiceArgon2Hasher, method)

        def counting(*args: Any) -> Any:
            calls.append(threading.current_thread().name)
            return original(*args)

        monkeypatch.setattr(ServiceArgon2Hasher, method, counting)
        return lambda: len(calls)

    return count


def guess(identifier: str) -> Callable[[int], dict[str, Any]]:
    return lambda number: {"email": identifier, "password": f"Wrong-Horse-{number}"}


def test_of_fifty_wrong_passwords_at_once_five_are_tried(
    api: APIClient, person: User, counted: Callable[[str], Callable[[], int]]
) -> None:
    tried = counted("verify")

    answers = posts(GUESSES, URL, guess(person.email))

    assert tried() <= 5
    assert statuses(answers) == {401: 5, 403: GUESSES - 5}
    locked = [answer for answer in answers if answer.status_code == 403]
    assert {answer.json()["code"] for answer in locked} == {"account_locked"}
    assert all(1700 < int(answer["Retry-After"]) <= 1801 for answer in locked)
    assert User.objects.get().is_account_locked()
    # If the guesses reach the name and the account in different orders, the task reports the lock.
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=1)):
        LockReportService.report_due()
    assert AuditLog.objects.filter(event_type="account_locked", user=person).count() == 1
    assert OutgoingEmail.objects.filter(kind="account_locked", user=person).count() == 1
    right = api.post(URL, {"email": person.email, "password": PASSWORD})
    assert (right.status_code, right.json()["code"]) == (403, "account_locked")
    assert not UserSession.objects.exists()


def test_of_fifty_concurrent_guesses_at_an_unknown_name_five_are_hashed(
    api: APIClient, db: None, counted: Callable[[str], Callable[[], int]]
) -> None:
    hashed = counted("encode")

    answers = posts(GUESSES, URL, guess("nobody@example.org"))

    assert hashed() <= 5
    assert statuses(answers) == {401: 5, 403: GUESSES - 5}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 403} == {
        "account_locked"
    }
    assert AuditLog.objects.filter(event_type="account_locked").count() == 1


def test_all_names_of_a_person_share_five_guesses(
    person: User, counted: Callable[[str], Callable[[], int]]
) -> None:
    names = (person.email, person.email.upper(), person.username, f" {person.username.title()} ")
    tried = counted("verify")

    answers = posts(
        20, URL, lambda number: {"email": names[number % 4], "password": f"Wrong-{number}"}
    )

    assert tried() <= 5
    # Each of the two names is answered as one that nobody has.
    assert statuses(answers) == {401: 10, 403: 10}


def assert_five_or_more_signed_in(answers: list[Any]) -> None:
    """A sixth simultaneous attempt may be refused, and leaves no trace (docs/lockout.md)."""
    counts = statuses(answers)
    assert counts.keys() <= {200, 403}
    assert counts[200] >= 5


def test_of_twelve_simultaneous_right_passwords_five_or_more_sign_in(person: User) -> None:
    answers = posts(RIGHT, URL, lambda _: {"email": person.email, "password": PASSWORD})

    assert_five_or_more_signed_in(answers)
    assert UserSession.objects.filter(is_active=True).count() == statuses(answers)[200]
    assert (
        posts(1, URL, lambda _: {"email": person.email, "password": PASSWORD})[0].status_code == 200
    )
    user = User.objects.get()
    assert (user.failed_login_attempts, user.locked_until) == (0, None)


def test_sign_ins_that_renew_the_hash_succeed_too(person: User, settings: Settings) -> None:
    settings.ARGON2_TIME_COST = 2
    User.objects.update(password=make_password(PASSWORD))
    settings.ARGON2_TIME_COST = 3

    answers = posts(RIGHT, URL, lambda _: {"email": person.email, "password": PASSWORD})

    assert_five_or_more_signed_in(answers)


def test_a_slow_machine_leaves_no_lock_after_right_passwords(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = ServiceArgon2Hasher.verify

    def slow(*arguments: Any) -> bool:
        time.sleep(2.5)
        return bool(original(*arguments))

    monkeypatch.setattr(ServiceArgon2Hasher, "verify", slow)

    answers = posts(8, URL, lambda _: {"email": person.email, "password": PASSWORD})

    assert set(statuses(answers)) <= {200, 403, 503}
    user = User.objects.get()
    assert (user.failed_login_attempts, user.locked_until) == (0, None)
    assert not AuditLog.objects.filter(event_type="account_locked").exists()


def test_after_a_lock_ran_out_five_guesses_are_tried_again(
    person: User, counted: Callable[[str], Callable[[], int]]
) -> None:
    User.objects.update(failed_login_attempts=5, locked_until="2026-01-01T00:00:00Z")
    tried = counted("verify")

    answers = posts(20, URL, guess(person.email))

    assert tried() <= 5
    assert statuses(answers) == {401: 5, 403: 15}
