"""The TokenBlacklist model and the constraints of its table."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import TokenBlacklist, User, UserSession
from authentication.tests.clients import NOON
from authentication.tests.conftest import API
from authentication.tests.sealing import tamper

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

LATER = NOON + dt.timedelta(days=7)


def test_a_revoked_token_is_found_with_its_facts(person: User) -> None:
    assert not TokenBlacklist.is_token_blacklisted("jti")

    TokenBlacklist.blacklist_token(
        jti="jti", expires_at=LATER, user_id=person.pk, reason="compromised"
    )

    assert TokenBlacklist.is_token_blacklisted("jti")
    assert not TokenBlacklist.is_token_blacklisted("JTI")
    row = TokenBlacklist.objects.get()
    assert (row.user_id, row.expires_at, row.blacklisted_at, row.reason) == (
        person.pk,
        LATER,
        NOON,
        "compromised",
    )
    assert str(row) == "jti (compromised)"


def test_a_token_can_be_revoked_without_its_user() -> None:
    TokenBlacklist.blacklist_token(jti="jti", expires_at=LATER)

    row = TokenBlacklist.objects.get()
    assert (row.user_id, row.reason) == (None, "admin")


def test_a_token_itself_is_revoked_by_its_claims(signed_in: dict[str, Any], api: APIClient) -> None:
    refresh = signed_in["refresh"]

    TokenBlacklist.blacklist_token(token=refresh, reason="compromised")

    row = TokenBlacklist.objects.get()
    assert row.user is not None
    assert row.jti == UserSession.objects.get().refresh_token_jti
    assert refresh not in row.token
    assert api.post(f"{API}/token/refresh/", {"refresh": refresh}).status_code == 401


@pytest.mark.parametrize(("jti", "token"), [("", ""), ("", "a.b.c"), ("jti", "a.b.c")])
def test_a_token_of_others_is_an_error(jti: str, token: str) -> None:
    with pytest.raises(ValueError, match="JWT ID"):
        TokenBlacklist.blacklist_token(jti, token=token)


def test_a_token_with_the_id_of_another_is_an_error(signed_in: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="JWT ID"):
        TokenBlacklist.blacklist_token("another", token=signed_in["refresh"])

    assert not TokenBlacklist.objects.exists()


def test_a_token_of_an_erased_account_is_revoked_without_it(signed_in: dict[str, Any]) -> None:
    tamper(User.objects.all())

    TokenBlacklist.blacklist_token(token=signed_in["access"])

    assert TokenBlacklist.objects.get().user is None


def test_revoking_twice_keeps_the_first_reason(person: User) -> None:
    TokenBlacklist.blacklist_token(
        jti="jti", expires_at=LATER, user_id=person.pk, reason="rotation"
    )

    TokenBlacklist.blacklist_token(jti="jti", expires_at=LATER, reason="logout")

    assert TokenBlacklist.objects.get().reason == "rotation"


def test_cleanup_deletes_expired_tokens(time_machine: TimeMachineFixture) -> None:
    for days in (1, 2, 3):
        TokenBlacklist.blacklist_token(jti=str(days), expires_at=NOON + dt.timedelta(days=days))
    time_machine.shift(dt.timedelta(days=2))

    assert TokenBlacklist.cleanup_expired() == 2

    assert TokenBlacklist.objects.get().jti == "3"
    assert TokenBlacklist.cleanup_expired() == 0


def test_an_identifier_is_stored_once() -> None:
    TokenBlacklist.objects.create(jti="jti", expires_at=LATER)

    with pytest.raises(IntegrityError), transaction.atomic():
        TokenBlacklist.objects.create(jti="jti", expires_at=LATER)


@pytest.mark.parametrize("column", ["jti", "expires_at"])
def test_the_database_refuses_missing_values(column: str) -> None:
    TokenBlacklist.objects.create(jti="jti", expires_at=LATER)

    with pytest.raises(IntegrityError), transaction.atomic():
        TokenBlacklist.objects.update(**{column: None})
