"""How many hashes run at once."""

import threading
import time
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import ServiceUnavailable
from authentication.models import AuditLog, User, UserSession
from authentication.services.passwords import hashers
from authentication.tests.clients import NEW_PASSWORD, Tokens, post_as, use_access
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

from .hashing import log_in_by_name

pytestmark = pytest.mark.django_db


class TestConcurrency:
    @pytest.fixture
    def turns(self, monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
        """Allow one hash at a time and a short wait; return the semaphore."""
        only = threading.BoundedSemaphore(1)
        monkeypatch.setattr(hashers, "_turns", lambda: only)
        monkeypatch.setattr(hashers, "_WAIT_SECONDS", 0.05)
        return only

    def test_a_busy_service_answers_503_with_retry_after(
        self, api: APIClient, person: User, turns: threading.BoundedSemaphore
    ) -> None:
        with turns:
            answers = [
                log_in_by_name(api, name, PASSWORD) for name in (person.email, "nobody@example.org")
            ]

        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
            assert answer["Retry-After"] == "2"
        assert not UserSession.objects.exists()
        assert not AuditLog.objects.filter(event_type="login").exists()
        assert log_in_by_name(api, person.email, PASSWORD).status_code == 200

    @pytest.mark.parametrize("known", [True, False])
    def test_an_unchecked_password_is_not_counted_as_a_failure(
        self, api: APIClient, person: User, turns: threading.BoundedSemaphore, *, known: bool
    ) -> None:
        name = person.email if known else "nobody@example.org"
        with turns:
            for _ in range(5):
                assert log_in_by_name(api, name, PASSWORD).status_code == 503

        assert log_in_by_name(api, name, PASSWORD).status_code == (200 if known else 401)
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_busy_service_changes_no_password(
        self, api: APIClient, person: User, signed_in: Tokens, turns: threading.BoundedSemaphore
    ) -> None:
        passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        with turns:
            answer = post_as(api, signed_in, f"{API}/password/change/", passwords)

        person.refresh_from_db()
        assert answer.status_code == 503
        assert person.check_password(PASSWORD)
        assert use_access(api, signed_in) == 200

    def test_an_exception_releases_the_semaphore(
        self, monkeypatch: pytest.MonkeyPatch, turns: threading.BoundedSemaphore
    ) -> None:
        def fail(*_: object) -> None:
            raise MemoryError

        for name in ("encode", "verify"):
            monkeypatch.setattr(Argon2PasswordHasher, name, fail)
        hasher = hashers.ServiceArgon2Hasher()

        for call in (lambda: hasher.encode("a", "saltsaltsalt"), lambda: hasher.verify("a", "b")):
            with pytest.raises(MemoryError):
                call()

        assert turns.acquire(timeout=0)

    def test_no_more_hashes_run_than_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        running, most, guard = 0, 0, threading.Lock()

        def slow(*_: object) -> str:
            nonlocal running, most
            with guard:
                running += 1
                most = max(most, running)
            time.sleep(0.01)
            with guard:
                running -= 1
            return ""

        two = threading.BoundedSemaphore(2)
        monkeypatch.setattr(hashers, "_turns", lambda: two)
        monkeypatch.setattr(Argon2PasswordHasher, "encode", slow)
        threads = [
            threading.Thread(target=hashers.ServiceArgon2Hasher().encode, args=("a", "b"))
            for _ in range(8)
        ]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert most == 2

    def test_the_wait_ends_with_an_error(self, turns: threading.BoundedSemaphore) -> None:
        with turns, pytest.raises(ServiceUnavailable):
            hashers.ServiceArgon2Hasher().encode("a", "saltsaltsalt")

    @pytest.mark.parametrize(
        ("memory", "processes", "wanted"),
        [(2**30, 1, 8), (2**30, 2, 4), (2**20, 4, 1), (2**34, 3, 42)],
    )
    def test_half_of_the_memory_is_for_hashes(
        self,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        memory: int,
        processes: int,
        wanted: int,
    ) -> None:
        settings.ARGON2_MEMORY_KIB, settings.WEB_CONCURRENCY = 65536, processes
        monkeypatch.setattr(hashers, "_memory_bytes", lambda: memory)
        made: Callable[[], threading.BoundedSemaphore] = hashers._turns.__wrapped__

        turns = made()

        assert sum(turns.acquire(timeout=0) for _ in range(64)) == wanted
