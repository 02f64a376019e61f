"""POST /api/v1/auth/token/verify/."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import TokenBlacklist, User, UserSession
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    invalid,
    not_refused,
    refusal_of,
    rows,
)
from authentication.tests.clients import NOON, VERIFY, Tokens, refreshed, set_password, sign_in
from authentication.tests.conftest import BROWSER, bearer, queries
from authentication.tests.forging import claims_of
from authentication.tests.sealing import tamper

stopped_clock = pytest.mark.time_machine(NOON, tick=False)


def verify(api: APIClient, token: str) -> Any:
    return api.post(VERIFY, {"token": token})


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_a_live_access_token_is_answered_with_an_empty_object(
    api: APIClient, signed_in: Tokens, headers: dict[str, str]
) -> None:
    answer = api.post(VERIFY, {"token": signed_in["access"]}, headers=headers)

    assert (answer.status_code, answer.json()) == (200, {})
    assert cookie_of(answer) is None


def test_a_token_can_be_verified_again(api: APIClient, signed_in: Tokens) -> None:
    assert [verify(api, signed_in["access"]).status_code for _ in range(3)] == [200] * 3
    assert not TokenBlacklist.objects.exists()


def test_a_verification_costs_one_query(api: APIClient, signed_in: Tokens) -> None:
    verify(api, signed_in["access"])

    with CaptureQueriesContext(connection) as captured:
        verify(api, signed_in["access"])

    assert len(queries(captured)) == 1, queries(captured)


@pytest.mark.parametrize("name", ["refresh", "another word"])
def test_a_refresh_token_or_another_text_is_refused(
    api: APIClient, signed_in: Tokens, name: str
) -> None:
    before = rows()

    answer = verify(api, signed_in.get(name, name))

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


def test_a_valid_token_in_the_header_does_not_replace_the_one_in_the_body(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = api.post(VERIFY, {"token": "another"}, headers=bearer(signed_in["access"]))

    assert refusal_of(answer) == TOKEN_INVALID


def test_an_invalid_token_in_the_header_is_ignored(api: APIClient, signed_in: Tokens) -> None:
    answer = api.post(VERIFY, {"token": signed_in["access"]}, headers=bearer("stale"))

    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize("reason", ["logout", "terminated", "reuse"])
def test_the_token_of_an_ended_session_is_refused(
    api: APIClient, signed_in: Tokens, reason: str
) -> None:
    UserSession.objects.get().deactivate(reason)
    before = rows()

    answer = verify(api, signed_in["access"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


def test_a_revoked_access_token_is_refused_and_its_session_stays_live(
    api: APIClient, signed_in: Tokens
) -> None:
    session = UserSession.objects.get()
    TokenBlacklist.blacklist_token(
        jti=claims_of(signed_in["access"])["jti"], expires_at=session.expires_at
    )

    answer = verify(api, signed_in["access"])

    assert refusal_of(answer) == TOKEN_INVALID
    newest = refreshed(api, signed_in["refresh"])
    assert verify(api, newest["access"]).status_code == 200


@pytest.mark.parametrize("change", [{"is_active": False}, None], ids=["inactive", "deleted"])
def test_the_token_of_a_closed_account_is_refused(
    api: APIClient, signed_in: Tokens, person: User, change: dict[str, bool] | None
) -> None:
    if change:
        User.objects.filter(pk=person.pk).update(**change)
    else:
        tamper(person)

    assert refusal_of(verify(api, signed_in["access"])) == TOKEN_INVALID


@stopped_clock
def test_a_token_from_before_a_new_password_is_refused(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, person: User
) -> None:
    time_machine.shift(1)
    set_password(person)

    assert refusal_of(verify(api, signed_in["access"])) == TOKEN_INVALID


@stopped_clock
def test_an_access_token_lives_fifteen_minutes_and_ten_seconds_of_leeway(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(900 + 9)
    assert verify(api, signed_in["access"]).status_code == 200
    time_machine.shift(1)

    assert refusal_of(verify(api, signed_in["access"])) == TOKEN_INVALID


@stopped_clock
def test_a_token_issued_up_to_ten_seconds_in_the_future_is_accepted(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(-10)
    assert verify(api, signed_in["access"]).status_code == 200
    time_machine.shift(-1)

    assert refusal_of(verify(api, signed_in["access"])) == TOKEN_INVALID


def test_a_token_signed_with_an_older_key_works_while_that_key_is_kept(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    older = settings.JWT_SIGNING_KEY
    settings.JWT_SIGNING_KEY = "a-newer-key-of-more-than-thirty-two-characters"
    settings.JWT_SIGNING_KEY_FALLBACKS = [older]
    assert verify(api, signed_in["access"]).status_code == 200

    settings.JWT_SIGNING_KEY_FALLBACKS = []

    assert refusal_of(verify(api, signed_in["access"])) == TOKEN_INVALID


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"token": 7}, "Not a valid string."),
        ({"token": ["a"]}, "Not a valid string."),
        ({"token": "a\x00b"}, "Please remove line breaks and invisible characters."),
        ({"token": "a\ud800b"}, "Please remove line breaks and invisible characters."),
    ],
)
def test_a_malformed_body_is_refused(
    api: APIClient, db: None, body: dict[str, object], message: str
) -> None:
    answer = api.post(VERIFY, json.dumps(body), content_type="application/json")

    assert refusal_of(answer) == invalid(token=[message])


@pytest.mark.parametrize(
    "body", [{}, {"token": ""}, {"token": None}], ids=["none", "empty", "null"]
)
def test_a_request_without_a_token_is_refused(
    api: APIClient, db: None, body: dict[str, object]
) -> None:
    assert refusal_of(api.post(VERIFY, body)) == TOKEN_INVALID


def test_a_forged_token_is_refused_and_changes_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    assert not_refused(lambda token: verify(api, token), claims_of(signed_in["access"])) == {}


def test_the_rate_limit_counts_by_address(api: APIClient, person: User, settings: Settings) -> None:
    tokens = sign_in(api, person)
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_verify": "2/h"}
    statuses = [verify(api, access).status_code for access in (tokens["access"], "x", "y")]

    refused = verify(api, tokens["access"])
    elsewhere = api.post(VERIFY, {"token": tokens["access"]}, REMOTE_ADDR="198.51.100.7")

    assert statuses == [200, 401, 401]
    assert_problem(refused, 429, "rate_limited")
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert elsewhere.status_code == 200
