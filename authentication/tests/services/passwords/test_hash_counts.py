"""How many hashes each request computes."""

from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from authentication.models import PasswordResetToken, User
from authentication.services.passwords import hashers
from authentication.tests.clients import NEW_PASSWORD, WRONG_PASSWORD, Tokens, post_as
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory

from .hashing import log_in_by_name

pytestmark = pytest.mark.django_db


class TestEqualCost:
    """The time of an answer must not tell unknown, disabled or unverified accounts (ENU-01)."""

    @pytest.fixture
    def hashes(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Return the list of the parameters of every hash that is computed."""
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
            ({}, WRONG_PASSWORD),
            ({"is_active": False}, PASSWORD),
            ({"is_active": False}, WRONG_PASSWORD),
            ({"email_verified": False, "email_verified_at": None}, PASSWORD),
            ({"email_verified": False, "email_verified_at": None}, WRONG_PASSWORD),
            ({"password": None}, PASSWORD),
            (None, WRONG_PASSWORD),
        ],
        ids=[
            "right",
            "wrong",
            "disabled",
            "disabled+wrong",
            "unverified",
            "unverified+wrong",
            "no password",
            "unknown",
        ],
    )
    def test_every_sign_in_computes_one_hash(
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

        log_in_by_name(api, "ruth@example.org", password)

        assert hashes == ["m=8,t=1,p=1"]

    @pytest.mark.parametrize("known", [True, False])
    def test_a_locked_name_computes_no_hash(
        self, api: APIClient, request: pytest.FixtureRequest, db: None, *, known: bool
    ) -> None:
        if known:
            UserFactory(email="ruth@example.org")
        for _ in range(5):
            log_in_by_name(api, "ruth@example.org", WRONG_PASSWORD)
        hashes: list[str] = request.getfixturevalue("hashes")

        answers = [
            log_in_by_name(api, "ruth@example.org", password)
            for password in (PASSWORD, WRONG_PASSWORD)
        ]

        assert [answer.json()["code"] for answer in answers] == ["account_locked"] * 2
        assert hashes == []

    @pytest.mark.parametrize("known", [True, False])
    def test_every_registration_computes_one_hash(
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
    def test_a_reset_request_computes_no_hash(
        self, api: APIClient, request: pytest.FixtureRequest, db: None, *, known: bool
    ) -> None:
        if known:
            UserFactory(email="ruth@example.org")
        hashes: list[str] = request.getfixturevalue("hashes")

        api.post(f"{API}/password/reset/", {"email": "ruth@example.org"})

        assert hashes == []


def test_no_hash_is_computed_inside_a_transaction(
    api: APIClient, signed_in: Tokens, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, in_transactions = hashers.ServiceArgon2Hasher.encode, []
    # The test itself runs in a transaction.
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
        log_in_by_name(api, "nobody@example.org", WRONG_PASSWORD).status_code,
        post_as(api, signed_in, f"{API}/password/change/", changed).status_code,
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
