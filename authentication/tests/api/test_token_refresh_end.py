"""POST /api/v1/auth/token/refresh/: when a session is over, and what becomes of its cookie."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import TokenBlacklist, User, UserSession
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of, rows
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    REFRESH,
    Tokens,
    refresh_by_cookie,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import UserFactory
from authentication.tests.forging import FORGERIES, claims_of

pytestmark = pytest.mark.time_machine(NOON, tick=False)


@pytest.mark.parametrize(("remember_me", "days"), [(False, 7), (True, 14)])
def test_the_expiry_slides_with_each_rotation_and_is_the_tokens(
    time_machine: TimeMachineFixture, api: APIClient, person: User, *, remember_me: bool, days: int
) -> None:
    tokens, lifetime = sign_in(api, person, remember_me=remember_me), dt.timedelta(days=days)
    assert UserSession.objects.get().expires_at == NOON + lifetime
    assert claims_of(tokens["refresh"])["exp"] == (NOON + lifetime).timestamp()
    time_machine.shift(dt.timedelta(days=3))

    tokens = refreshed(api, tokens["refresh"])

    ends_at = NOON + dt.timedelta(days=3) + lifetime
    assert UserSession.objects.get().expires_at == ends_at
    assert claims_of(tokens["refresh"])["exp"] == ends_at.timestamp()


@pytest.mark.parametrize(("remember_me", "days"), [(False, 7), (True, 14)])
def test_a_session_unused_for_its_lifetime_is_over(
    time_machine: TimeMachineFixture, api: APIClient, person: User, *, remember_me: bool, days: int
) -> None:
    in_time, late = (sign_in(api, person, remember_me=remember_me)["refresh"] for _ in range(2))
    time_machine.shift(dt.timedelta(days=days, seconds=-1))
    refreshed(api, in_time)
    time_machine.shift(1)
    before = rows()

    answer = refresh_by_cookie(api, late)

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) == CLEARED
    assert rows() == before


def test_no_number_of_rotations_takes_a_session_past_ninety_days(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    token, end = sign_in(api, person, remember_me=True)["refresh"], NOON + dt.timedelta(days=90)
    for _ in range(8):
        time_machine.shift(dt.timedelta(days=11))
        token = refreshed(api, token)["refresh"]
        assert UserSession.objects.get().expires_at <= end
    assert claims_of(token)["exp"] == end.timestamp()
    time_machine.move_to(end - dt.timedelta(minutes=5))
    last = refreshed(api, token)
    assert last["expires_in"] == 300
    assert claims_of(last["access"])["exp"] == claims_of(last["refresh"])["exp"] == end.timestamp()
    time_machine.move_to(end)

    answer = api.post(REFRESH, {"refresh": last["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert refusal_of(api.get(ME, headers=bearer(last["access"]))) == TOKEN_INVALID


def test_a_person_who_was_made_inactive_gets_no_tokens(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    User.objects.filter(pk=person.pk).update(is_active=False)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (newest, signed_in)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert rows() == before


def test_a_person_who_was_deleted_gets_no_tokens(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    person.delete()
    before = rows()

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize("milliseconds", [1, 500, 1000, 86_400_000])
def test_tokens_from_before_a_new_password_are_dead(
    time_machine: TimeMachineFixture, api: APIClient, person: User, milliseconds: int
) -> None:
    first = sign_in(api, person)
    newest = refreshed(api, first["refresh"])
    time_machine.shift(milliseconds / 1000)
    set_password(person)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (newest, first)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert refusal_of(api.get(ME, headers=bearer(newest["access"]))) == TOKEN_INVALID
    assert rows() == before


def test_tokens_from_after_a_new_password_live_from_the_first_moment(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    time_machine.shift(0.7)
    set_password(person)

    answer = api.post(f"{API}/login/", {"email": person.email, "password": NEW_PASSWORD})

    tokens = answer.json()
    assert use_access(api, tokens) == 200
    assert use_refresh(api, tokens) == 200


def test_a_revoked_token_is_refused_and_its_session_left_alone(
    api: APIClient, signed_in: Tokens
) -> None:
    session = UserSession.objects.get()
    TokenBlacklist.blacklist_token(
        jti=session.refresh_token_jti,
        expires_at=session.expires_at,
        user_id=session.user_id,
        reason="compromised",
    )
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) is None
    assert rows() == before


def end_session(person: User, clock: TimeMachineFixture) -> None:
    UserSession.objects.get().deactivate("terminated")


def delete_session(person: User, clock: TimeMachineFixture) -> None:
    UserSession.objects.all().delete()


def close_account(person: User, clock: TimeMachineFixture) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def change_password(person: User, clock: TimeMachineFixture) -> None:
    clock.shift(60)
    set_password(person)


def wait_too_long(person: User, clock: TimeMachineFixture) -> None:
    clock.shift(dt.timedelta(days=8))


@pytest.mark.parametrize(
    "end", [end_session, delete_session, close_account, change_password, wait_too_long]
)
def test_the_cookie_is_taken_back_when_its_session_is_over(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    person: User,
    end: Callable[[User, TimeMachineFixture], None],
) -> None:
    end(person, time_machine)

    by_body, answer = (
        api.post(REFRESH, {"refresh": signed_in["refresh"]}),
        refresh_by_cookie(api, signed_in["refresh"]),
    )

    assert refusal_of(answer) == refusal_of(by_body) == TOKEN_INVALID
    assert cookie_of(answer) == CLEARED
    assert cookie_of(by_body) is None


def test_the_cookie_is_taken_back_on_reuse(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    use_access(api, refreshed(api, signed_in["refresh"]))
    time_machine.shift(11)

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) == CLEARED


@pytest.mark.parametrize(
    "name",
    [
        "a word",
        "another's key",
        "no signature",
        "alg none",
        "no sid",
        "iss of another",
        "jti a number",
        "10 kB",
    ],
)
def test_a_malformed_token_takes_no_cookie_back(
    api: APIClient, signed_in: Tokens, name: str
) -> None:
    answer = refresh_by_cookie(api, FORGERIES[name](claims_of(signed_in["refresh"])))

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) is None


def test_an_access_token_in_the_cookie_takes_no_cookie_back(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = refresh_by_cookie(api, signed_in["access"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) is None


def test_a_late_answer_to_an_expired_token_does_not_delete_the_winners_cookie(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(dt.timedelta(days=7, seconds=-60))
    newest = refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)

    late = refresh_by_cookie(api, signed_in["refresh"])

    assert UserSession.objects.get().is_active
    assert cookie_of(late) != CLEARED
    assert use_refresh(api, newest) == 200


def test_another_sites_request_is_a_403_that_changes_nothing(
    api: APIClient, signed_in: Tokens
) -> None:
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"], Origin="https://evil.example")

    assert refusal_of(answer)["code"] == "csrf_failed"
    assert cookie_of(answer) is None
    assert rows() == before


def test_a_request_over_the_limit_is_a_429_that_changes_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "1/h"}
    token = refreshed(api, signed_in["refresh"])["refresh"]
    before = rows()

    answer = refresh_by_cookie(api, token)

    assert refusal_of(answer)["code"] == "rate_limited"
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert cookie_of(answer) is None
    assert rows() == before


def test_refreshes_are_counted_by_person(api: APIClient, settings: Settings, db: None) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "1/h"}
    ruth, naomi = sign_in(api, UserFactory()), sign_in(api, UserFactory())

    first, second = (
        api.post(REFRESH, {"refresh": ruth["refresh"]}),
        api.post(REFRESH, {"refresh": naomi["refresh"]}),
    )

    assert (first.status_code, second.status_code) == (200, 200)
    assert first["RateLimit-Policy"] == '"token_refresh";q=1;w=3600'


def test_a_failing_database_is_a_503_that_takes_no_cookie_back(
    api: APIClient, signed_in: Tokens
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail):
        answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer)["code"] == "service_unavailable"
    assert int(answer["Retry-After"]) > 0
    assert cookie_of(answer) is None


def test_a_crash_is_a_500_that_takes_no_cookie_back(api: APIClient, signed_in: Tokens) -> None:
    def crash(*args: Any) -> None:
        raise RuntimeError("a fault of ours")

    before = rows()
    with connection.execute_wrapper(crash):
        answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer)["code"] == "server_error"
    assert cookie_of(answer) is None
    assert rows() == before
