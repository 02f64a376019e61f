"""The parameters of password hashes, and hashes with older ones."""

import base64
import importlib.util
import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as service
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.services.passwords import hashers
from authentication.tests.clients import (
    NEW_PASSWORD,
    WRONG_PASSWORD,
    Tokens,
    set_password,
    use_access,
    use_refresh,
)
from authentication.tests.factories import PASSWORD

from .hashing import log_in_by_name

pytestmark = pytest.mark.django_db


def settings_module(name: str) -> ModuleType:
    """Run a settings module again with the current environment, beside the one in use."""
    spec = importlib.util.find_spec(f"vineyard_group_fellowship.settings.{name}")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestCost:
    @pytest.fixture(autouse=True)
    def _without_variables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ARGON2_TIME_COST", "ARGON2_MEMORY_KIB", "ARGON2_PARALLELISM"):
            monkeypatch.delenv(name, raising=False)

    def test_the_defaults_are_two_passes_over_64_mib_in_one_lane(self) -> None:
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
    def test_values_below_the_minimum_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, below: int, floor: int
    ) -> None:
        monkeypatch.setenv(name, str(floor))
        assert getattr(settings_module("auth"), name) == floor

        monkeypatch.setenv(name, str(below))
        with pytest.raises(ImproperlyConfigured, match=rf"{name} must be between {floor} and"):
            settings_module("auth")

    @pytest.mark.parametrize("value", ["x", "-1", "1e9", "65536.5", str(2**40)])
    def test_malformed_values_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("ARGON2_MEMORY_KIB", value)

        with pytest.raises(ImproperlyConfigured, match="ARGON2_MEMORY_KIB"):
            settings_module("auth")

    @pytest.mark.slow
    def test_the_service_does_not_start_with_a_weak_hash(self) -> None:
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

    def test_a_stored_hash_names_its_parameters(self, settings: Settings) -> None:
        settings.ARGON2_TIME_COST, settings.ARGON2_MEMORY_KIB, settings.ARGON2_PARALLELISM = (
            2,
            65536,
            1,
        )

        algorithm, kind, version, cost, salt, tag = make_password(PASSWORD).split("$")

        assert (algorithm, kind, version, cost) == ("argon2", "argon2id", "v=19", "m=65536,t=2,p=1")
        assert len(base64.b64decode(f"{salt}==")) >= 16
        assert len(base64.b64decode(f"{tag}=")) == 32


class TestRehash:
    def test_a_sign_in_renews_an_old_hash_and_keeps_tokens_valid(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        before = person.password, person.password_changed_at

        assert log_in_by_name(api, person.email, PASSWORD).status_code == 200

        person.refresh_from_db()
        assert "m=8," in before[0]
        assert "m=32," in person.password
        assert person.password_changed_at == before[1]
        assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (200, 200)
        assert log_in_by_name(api, person.email, PASSWORD).status_code == 200

    def test_a_wrong_password_does_not_renew_the_hash(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        before = person.password

        log_in_by_name(api, person.email, WRONG_PASSWORD)

        person.refresh_from_db()
        assert person.password == before

    def test_renewing_a_hash_does_not_restore_a_changed_password(
        self, api: APIClient, person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ARGON2_MEMORY_KIB = 32
        encode = hashers.ServiceArgon2Hasher.encode

        def encode_after_a_change(hasher: Any, password: str, salt: str) -> str:
            monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", encode)
            set_password(User.objects.get(pk=person.pk))
            return encode(hasher, password, salt)

        monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", encode_after_a_change)

        late = log_in_by_name(api, person.email, PASSWORD)

        person.refresh_from_db()
        assert person.check_password(NEW_PASSWORD)
        assert late.status_code == 401
        assert not UserSession.objects.exists()
