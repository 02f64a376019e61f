"""POST /api/v1/auth/token/refresh/: when a session is over."""

import datetime as dt

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import TokenBlacklist, User, UserSession
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    cookie_of,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    REFRESH,
    Tokens,
    get_as,
    refresh_by_cookie,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import ME
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of
from authentication.tests.sealing import tamper

pytestmark = pytest.mark.time_machine(NOON, tick=False)


@pytest.mark.parametrize(("remember_me", "days"), [(False, 7), (True, 14)])
def test_each_rotation_extends_the_expiry_of_session_and_token(
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
def test_a_session_unused_for_its_lifetime_expires(
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


def test_no_rotation_extends_a_session_past_ninety_days(
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
    assert refusal_of(get_as(api, last, ME)) == TOKEN_INVALID


def test_a_disabled_user_gets_no_tokens(api: APIClient, signed_in: Tokens, person: User) -> None:
    newest = refreshed(api, signed_in["refresh"])
    User.objects.filter(pk=person.pk).update(is_active=False)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (newest, signed_in)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert rows() == before


def test_a_deleted_user_gets_no_tokens(api: APIClient, signed_in: Tokens, person: User) -> None:
    tamper(person)
    before = rows()

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize("milliseconds", [1, 500, 1000, 86_400_000])
def test_tokens_from_before_a_new_password_are_refused(
    time_machine: TimeMachineFixture, api: APIClient, person: User, milliseconds: int
) -> None:
    first = sign_in(api, person)
    newest = refreshed(api, first["refresh"])
    time_machine.shift(milliseconds / 1000)
    set_password(person)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (newest, first)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert refusal_of(get_as(api, newest, ME)) == TOKEN_INVALID
    assert rows() == before


def test_tokens_from_after_a_new_password_work_at_once(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    time_machine.shift(0.7)
    set_password(person)

    tokens = sign_in(api, person, password=NEW_PASSWORD)

    assert use_access(api, tokens) == 200
    assert use_refresh(api, tokens) == 200


def test_a_revoked_token_is_refused_and_its_session_unchanged(
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


def test_the_rate_limit_counts_by_session(api: APIClient, settings: Settings, db: None) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "1/h"}
    ruth, naomi = sign_in(api, UserFactory()), sign_in(api, UserFactory())

    first = api.post(REFRESH, {"refresh": ruth["refresh"]})
    second = api.post(REFRESH, {"refresh": naomi["refresh"]})

    assert (first.status_code, second.status_code) == (200, 200)
    assert first["RateLimit-Policy"] == '"token_refresh";q=1;w=3600'
