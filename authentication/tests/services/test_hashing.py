"""Password hashes: what they cost, how many are computed for whom, and how many at once."""

import base64
import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as service
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import ServiceUnavailable
from authentication.models import AuditLog, PasswordResetToken, User, UserSession
from authentication.services.passwords import hashers
from authentication.tests.clients import NEW_PASSWORD, Tokens, set_password, use_access, use_refresh
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD, UserFactory

LOGIN = f"{API}/login/"
WRONG = "Wrong-Horse-9"

pytestmark = pytest.mark.django_db


def settings_module(name: str) -> ModuleType:
    """Run a settings module once more, by the environment as it is now, beside the one in use."""
    spec = importlib.util.find_spec(f"vineyard_group_fellowship.settings.{name}")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log_in(api: APIClient, identifier: str, password: str) -> Any:
    answer = api.post(LOGIN, {"email_or_username": identifier, "password": password})
    api.cookies.clear()
    return answer


class TestCost:
    @pytest.fixture(autouse=True)
    def _no_settings_of_whoever_runs_this(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ARGON2_TIME_COST", "ARGON2_MEMORY_KIB", "ARGON2_PARALLELISM"):
            monkeypatch.delenv(name, raising=False)

    def test_by_default_it_is_two_passes_over_64_mib_in_one_lane(self) -> None:
        auth = settings_module("auth")

        assert (auth.ARGON2_TIME_COST, auth.ARGON2_MEMORY_KIB, auth.ARGON2_PARALLELISM) == (
            2,
            65536,
            1,
        )
        assert auth.PASSWORD_HASHERS == [
            "authentication.services.passwords.hashers.ServiceArgon2Hasher"
        ]

    @pytest.mark.parametrize(
        ("name", "below", "floor"),
        [
            ("ARGON2_TIME_COST", 1, 2),
            ("ARGON2_MEMORY_KIB", 19455, 19456),
            ("ARGON2_PARALLELISM", 0, 1),
        ],
    )
    def test_less_than_the_floor_stops_the_start(
        self, monkeypatch: pytest.MonkeyPatch, name: str, below: int, floor: int
    ) -> None:
        monkeypatch.setenv(name, str(floor))
        assert getattr(settings_module("auth"), name) == floor

        monkeypatch.setenv(name, str(below))
        with pytest.raises(ImproperlyConfigured, match=rf"{name} must be between {floor} and"):
            settings_module("auth")

    @pytest.mark.parametrize("value", ["x", "-1", "1e9", "65536.5", str(2**40)])
    def test_nonsense_stops_the_start(self, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
        monkeypatch.setenv("ARGON2_MEMORY_KIB", value)

        with pytest.raises(ImproperlyConfigured, match="ARGON2_MEMORY_KIB"):
            settings_module("auth")

    def test_the_whole_service_does_not_start_with_a_weak_hash(self) -> None:
        weak = {**os.environ, "DJANGO_ENVIRONMENT": "test", "ARGON2_MEMORY_KIB": "1024"}
        weak.pop("DJANGO_SETTINGS_MODULE", None)

        done = subprocess.run(
            [sys.executable, "manage.py", "check"],
            env=weak,
            cwd=service.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.returncode != 0
        assert "ARGON2_MEMORY_KIB must be between 19456 and" in done.stderr

    def test_a_stored_hash_says_what_it_cost(self, settings: Settings) -> None:
        settings.ARGON2_TIME_COST, settings.ARGON2_MEMORY_KIB, settings.ARGON2_PARALLELISM = (
            2,
            65536,
            1,
        )

        algorithm, kind, version, cost, salt, tag = make_password(PASSWORD).split("$")

        assert (algorithm, kind, version, cost) == ("argon2", "argon2id", "v=19", "m=65536,t=2,p=1")
        assert len(base64.b64decode(f"{salt}==")) >= 16
        assert len(base64.b64decode(f"{tag}=")) == 32


class TestOlderHashes:
    def test_one_is_made_anew_at_the_next_sign_in_and_tokens_live_on(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        before = person.password, person.password_changed_at

        assert log_in(api, person.email, PASSWORD).status_code == 200

        person.refresh_from_db()
        assert "m=8," in before[0]
        assert "m=32," in person.password
        assert person.password_changed_at == before[1]
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (200, 200)
        assert log_in(api, person.email, PASSWORD).status_code == 200

    def test_a_wrong_password_makes_nothing_anew(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        before = person.password

        log_in(api, person.email, WRONG)

        person.refresh_from_db()
        assert person.password == before

    def test_making_one_anew_does_not_bring_back_a_password_changed_meanwhile(
        self, api: APIClient, person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        encode = hashers.ServiceArgon2Hasher.encode

        def encode_after_a_change(hasher: Any, password: str, salt: str) -> str:
            monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", encode)
            set_password(User.objects.get(pk=person.pk))
            return encode(hasher, password, salt)

        monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", encode_after_a_change)

        late = log_in(api, person.email, PASSWORD)

        person.refresh_from_db()
        assert person.check_password(NEW_PASSWORD)
        assert late.status_code == 401
        assert not UserSession.objects.exists()


class TestOneHashForEverybody:
    """Who is unknown, wrong, disabled or unproven must not be told by the time it takes (ENU-01)."""

    @pytest.fixture
    def hashes(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return the list that each hash computed is written into, by its parameters."""
        computed: list[str] = []
        encode, verify = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify

        def counted_encode(hasher: Any, password: str, salt: str) -> str:
            encoded: str = encode(hasher, password, salt)
            computed.append(encoded.split("$")[3])
            return encoded

        def counted_verify(hasher: Any, password: str, encoded: str) -> bool:
            computed.append(encoded.split("$")[3])
            return bool(verify(hasher, password, encoded))

        monkeypatch.setattr(Argon2PasswordHasher, "encode", counted_encode)
        monkeypatch.setattr(Argon2PasswordHasher, "verify", counted_verify)
        return computed

    @pytest.mark.parametrize(
        ("fields", "password"),
        [
            ({}, PASSWORD),
            ({}, WRONG),
            ({"is_active": False}, PASSWORD),
            ({"is_active": False}, WRONG),
            ({"email_verified": False, "email_verified_at": None}, PASSWORD),
            ({"email_verified": False, "email_verified_at": None}, WRONG),
            ({"password": None}, PASSWORD),
            (None, WRONG),
        ],
        ids=[
            "right",
            "wrong",
            "disabled",
            "disabled+wrong",
            "unproven",
            "unproven+wrong",
            "without one",
            "unknown",
        ],
    )
    def test_a_sign_in_computes_one(
        self,
        api: APIClient,
        db: None,
        fields: dict[str, Any] | None,
        password: str,
        request: pytest.FixtureRequest,
    ) -> None:
        if fields is not None:
            UserFactory(email="ruth@example.org", **fields)
        hashes: list[str] = request.getfixturevalue("hashes")

        log_in(api, "ruth@example.org", password)

        assert hashes == ["m=8,t=1,p=1"]

    @pytest.mark.parametrize("known", [True, False])
    def test_a_locked_name_computes_none(
        self, api: APIClient, request: pytest.FixtureRequest, db: None, *, known: bool
    ) -> None:
        if known:
            UserFactory(email="ruth@example.org")
        for _ in range(5):
            log_in(api, "ruth@example.org", WRONG)
        hashes: list[str] = request.getfixturevalue("hashes")

        answers = [log_in(api, "ruth@example.org", password) for password in (PASSWORD, WRONG)]

        assert [answer.json()["code"] for answer in answers] == ["account_locked"] * 2
        assert hashes == []

    @pytest.mark.parametrize("known", [True, False])
    def test_a_registration_computes_one(
        self, api: APIClient, request: pytest.FixtureRequest, db: None, *, known: bool
    ) -> None:
        if known:
            UserFactory(email="ruth@example.org")
        hashes: list[str] = request.getfixturevalue("hashes")

        answer = api.post(
            f"{API}/register/", {"email": "ruth@example.org", "password": NEW_PASSWORD}
        )

        assert answer.status_code == 201
        assert hashes == ["m=8,t=1,p=1"]

    @pytest.mark.parametrize("known", [True, False])
    def test_asking_for_a_reset_computes_none(
        self, api: APIClient, request: pytest.FixtureRequest, db: None, *, known: bool
    ) -> None:
        if known:
            UserFactory(email="ruth@example.org")
        hashes: list[str] = request.getfixturevalue("hashes")

        api.post(f"{API}/password/reset/", {"email": "ruth@example.org"})

        assert hashes == []


class TestHowManyAtOnce:
    @pytest.fixture
    def turns(self, monkeypatch: pytest.MonkeyPatch) -> threading.BoundedSemaphore:
        """Return the only turn there is, which is waited for but shortly."""
        only = threading.BoundedSemaphore(1)
        monkeypatch.setattr(hashers, "_turns", lambda: only)
        monkeypatch.setattr(hashers, "_WAIT_SECONDS", 0.05)
        return only

    def test_a_service_too_busy_says_so_and_when_to_come_back(
        self, api: APIClient, person: User, turns: threading.BoundedSemaphore
    ) -> None:
        with turns:
            answers = [log_in(api, name, PASSWORD) for name in (person.email, "nobody@example.org")]

        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
            assert answer["Retry-After"] == "2"
        assert not UserSession.objects.exists()
        assert not AuditLog.objects.filter(event_type="login").exists()
        assert log_in(api, person.email, PASSWORD).status_code == 200

    @pytest.mark.parametrize("known", [True, False])
    def test_a_password_that_was_never_looked_at_is_no_failure(
        self, api: APIClient, person: User, turns: threading.BoundedSemaphore, *, known: bool
    ) -> None:
        name = person.email if known else "nobody@example.org"
        with turns:
            for _ in range(5):
                assert log_in(api, name, PASSWORD).status_code == 503

        assert log_in(api, name, PASSWORD).status_code == (200 if known else 401)
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_busy_service_changes_no_password(
        self, api: APIClient, person: User, signed_in: Tokens, turns: threading.BoundedSemaphore
    ) -> None:
        asked = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = {"Authorization": f"Bearer {signed_in['access']}"}

        with turns:
            answer = api.post(f"{API}/password/change/", asked, headers=headers)

        person.refresh_from_db()
        assert answer.status_code == 503
        assert person.check_password(PASSWORD)
        assert use_access(api, signed_in) == 200

    def test_a_turn_is_given_back_whatever_happens(
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

    def test_no_more_run_than_there_are_turns(self, monkeypatch: pytest.MonkeyPatch) -> None:
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

    def test_waiting_has_an_end(self, turns: threading.BoundedSemaphore) -> None:
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


def test_nobody_waits_for_a_row_while_a_hash_is_computed(
    api: APIClient, signed_in: Tokens, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, in_transactions = hashers.ServiceArgon2Hasher.encode, []
    # The test itself is one.
    around = len(connection.atomic_blocks)

    def watched(*args: Any, **kwargs: Any) -> str:
        in_transactions.append(len(connection.atomic_blocks) > around)
        return compute(*args, **kwargs)

    monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", watched)
    new = {"email": "ruth@example.org", "password": NEW_PASSWORD, "password_confirm": NEW_PASSWORD}
    agreed = {"terms_accepted": True, "privacy_policy_accepted": True}
    changed = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

    statuses = [
        api.post(f"{API}/register/", {**new, **agreed}).status_code,
        log_in(api, "nobody@example.org", WRONG).status_code,
        api.post(
            f"{API}/password/change/", changed, headers=bearer(signed_in["access"])
        ).status_code,
    ]
    person.refresh_from_db()
    reset = {
        "token": PasswordResetToken.objects.issue(person, at=timezone.now()),
        "new_password": "Third-Horse-7",
    }
    statuses.append(api.post(f"{API}/password/reset/confirm/", reset).status_code)

    assert statuses == [201, 401, 200, 200]
    assert len(in_transactions) >= len(statuses)
    assert not any(in_transactions)
