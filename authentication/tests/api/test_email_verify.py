"""POST /api/v1/auth/email/verify/."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailVerificationToken, User, UserSession
from authentication.tests.answers import (
    LINK_INVALID,
    assert_invalid_fields,
    comparable,
    cookie_of,
    invalid_fields,
    refusal_of,
    unexpected,
)
from authentication.tests.clients import post_json
from authentication.tests.conftest import API

URL = f"{API}/email/verify/"
VERIFIED = "Email verified successfully"

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(newcomer: User) -> str:
    """Return the token of the newcomer's verification mail."""
    return EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )


def assert_unverified(user: User) -> None:
    user.refresh_from_db()
    assert (user.email_verified, user.email_verified_at) == (False, None)
    assert not AuditLog.objects.filter(event_type="email_verified").exists()
    assert not UserSession.objects.exists()


def test_the_mailed_token_verifies_the_address(
    time_machine: TimeMachineFixture, api: APIClient, newcomer: User, token: str
) -> None:
    now = timezone.now().replace(microsecond=0)
    time_machine.move_to(now, tick=False)

    answer = api.post(URL, {"token": token})

    newcomer.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json().keys() == {"message", "exchange_token"}
    assert answer.json()["message"] == VERIFIED
    assert (newcomer.email_verified, newcomer.email_verified_at) == (True, now)
    assert EmailVerificationToken.objects.get().verified_at == now
    assert AuditLog.objects.get().event_type == "email_verified"


def test_the_token_alone_opens_no_session(api: APIClient, token: str) -> None:
    answer = api.post(URL, {"token": token})

    assert cookie_of(answer) is None
    assert answer["Cache-Control"] == "no-store"
    assert not UserSession.objects.exists()


def test_the_exchange_token_opens_a_session(api: APIClient, newcomer: User, token: str) -> None:
    exchange_token = api.post(URL, {"token": token}).json()["exchange_token"]

    answer = api.post(f"{API}/exchange-token/", {"exchange_token": exchange_token})

    assert answer.status_code == 200
    assert answer.json()["user_id"] == str(newcomer.pk)


def test_blanks_around_the_token_are_ignored(api: APIClient, newcomer: User, token: str) -> None:
    answer = api.post(URL, {"token": f" {token} "})

    assert answer.status_code == 200


@pytest.mark.parametrize("form", ["json", "multipart"])
def test_the_token_may_come_as_json_or_as_a_form(api: APIClient, token: str, form: str) -> None:
    answer = api.post(URL, {"token": token}, format=form)

    assert answer.status_code == 200
    assert answer.json()["message"] == VERIFIED


def test_the_address_is_verified_without_an_exchange_token_while_the_cache_is_down(
    api: APIClient, newcomer: User, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RedisDown

    monkeypatch.setattr("authentication.services.sign_in.exchange_tokens.cache.set", refuse)

    answer = api.post(URL, {"token": token})

    newcomer.refresh_from_db()
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": VERIFIED, "exchange_token": None},
    )
    assert newcomer.email_verified


def test_the_database_stores_only_a_digest_of_the_token(token: str) -> None:
    [row] = EmailVerificationToken.objects.values()

    assert token not in str(row)
    assert len(row["token"]) == 64


class TestRefusals:
    def test_a_token_works_once(self, api: APIClient, token: str) -> None:
        api.post(URL, {"token": token})

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert AuditLog.objects.filter(event_type="email_verified").count() == 1
        assert (
            AuditLog.objects.filter(event_type="email_verification_failed", success=False).count()
            == 1
        )

    def test_a_token_is_refused_after_a_day(
        self, time_machine: TimeMachineFixture, api: APIClient, newcomer: User, token: str
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(hours=24, seconds=1), tick=False)

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unverified(newcomer)

    def test_a_token_works_until_the_end_of_the_day(
        self, time_machine: TimeMachineFixture, api: APIClient, token: str
    ) -> None:
        time_machine.move_to(timezone.now() + dt.timedelta(hours=23, minutes=59), tick=False)

        answer = api.post(URL, {"token": token})

        assert answer.status_code == 200

    def test_a_newer_token_voids_the_older_one(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        newer = EmailVerificationToken.objects.issue(
            newcomer.pk, email=newcomer.email, at=timezone.now()
        )

        older = api.post(URL, {"token": token})

        assert refusal_of(older) == LINK_INVALID
        assert_unverified(newcomer)
        assert api.post(URL, {"token": newer}).status_code == 200

    def test_a_token_verifies_only_the_address_it_was_sent_to(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        newcomer.email = "other@example.org"
        newcomer.save()

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unverified(newcomer)

    def test_a_token_of_a_disabled_account_is_refused(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        User.objects.filter(pk=newcomer.pk).update(is_active=False)

        answer = api.post(URL, {"token": token})

        assert refusal_of(answer) == LINK_INVALID
        assert_unverified(newcomer)

    def test_an_unknown_token_verifies_nothing(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        wrong = ["x", "x" * 43, "x" * 60_000, "' OR 1=1 --", "%00", "../../etc/passwd"]

        def outcome(wrong: str) -> dict[str, Any]:
            return refusal_of(api.post(URL, {"token": wrong}))

        assert unexpected(wrong, outcome, LINK_INVALID) == {}
        assert_unverified(newcomer)

    def test_a_token_must_match_in_every_character(
        self, api: APIClient, newcomer: User, token: str
    ) -> None:
        stored = EmailVerificationToken.objects.get().token

        def outcome(wrong: str) -> dict[str, Any]:
            return refusal_of(api.post(URL, {"token": wrong}))

        changed = [token.swapcase(), token[:-1], f"{token}x", stored]
        assert unexpected(changed, outcome, LINK_INVALID) == {}
        assert_unverified(newcomer)

    def test_used_and_unknown_tokens_get_the_same_answer(self, api: APIClient, token: str) -> None:
        api.post(URL, {"token": token})

        used = api.post(URL, {"token": token})
        unknown = api.post(URL, {"token": "x" * 43})

        assert refusal_of(used) == LINK_INVALID
        assert comparable(used, ignore={"RateLimit"}) == comparable(unknown, ignore={"RateLimit"})


class TestMalformedBody:
    def test_a_token_must_be_a_string_of_text(
        self, api: APIClient, newcomer: User, token: str, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False

        def outcome(value: object) -> set[str]:
            return invalid_fields(post_json(api, URL, {"token": value}))

        values: list[Any] = ["", "  ", None, 1, True, [], ["x"], {}, "a\x00b", "a\nb", "a\ud800b"]
        assert unexpected(values, outcome, {"token"}) == {}
        assert_unverified(newcomer)

    def test_a_missing_token_is_refused(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {})

        assert_invalid_fields(answer, "token")
        assert answer.json()["errors"] == {"token": ["This field is required."]}

    def test_a_malformed_token_costs_no_query(self, api: APIClient, db: None) -> None:
        with CaptureQueriesContext(connection) as captured:
            answer = api.post(URL, {"token": ["x"]})

        assert_invalid_fields(answer, "token")
        assert not captured.captured_queries


def test_get_does_not_spend_the_token(api: APIClient, newcomer: User, token: str) -> None:
    answer = api.get(f"{URL}?token={token}")

    assert answer.status_code == 405
    assert_unverified(newcomer)
    assert api.post(URL, {"token": token}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_ignored(api: APIClient, token: str, header: str) -> None:
    answer = api.post(URL, {"token": token}, headers={"Authorization": header})

    assert answer.status_code == 200
    assert answer.json()["message"] == VERIFIED
