"""Requests with an access token: their cost, and when the token is refused."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.tests.answers import TOKEN_INVALID, not_refused, refusal_of, rows, unexpected
from authentication.tests.clients import (
    NOON,
    REFRESH,
    Tokens,
    get_as,
    post_as,
    refreshed,
    set_password,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, ME, bearer, queries
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of
from authentication.tests.sealing import tamper

stopped = pytest.mark.time_machine(NOON, tick=False)


def test_authentication_costs_exactly_one_query(api: APIClient, signed_in: Tokens) -> None:
    sessions = f"{API}/sessions/terminate-all/"
    use_access(api, signed_in)

    with CaptureQueriesContext(connection) as captured:
        refused = get_as(api, signed_in, sessions)

    assert refused.status_code == 405
    assert len(queries(captured)) == 1, queries(captured)


@stopped
def test_the_last_activity_is_written_at_most_once_in_five_minutes(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    written = []
    for _ in range(11):
        use_access(api, signed_in)
        written.append(UserSession.objects.get().last_activity_at - NOON)
        time_machine.shift(60)

    five, ten = dt.timedelta(minutes=5), dt.timedelta(minutes=10)
    assert written == [dt.timedelta(0)] * 5 + [five] * 5 + [ten]


@stopped
def test_a_request_within_five_minutes_of_the_last_activity_writes_nothing(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    use_access(api, signed_in)
    time_machine.shift(299)

    with CaptureQueriesContext(connection) as captured:
        use_access(api, signed_in)

    assert [sql for sql in queries(captured) if not sql.startswith("SELECT")] == []


@stopped
def test_a_refresh_is_written_as_activity_at_most_once_in_five_minutes(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(299)
    newest = refreshed(api, signed_in["refresh"])
    assert UserSession.objects.get().last_activity_at == NOON
    time_machine.shift(1)

    refreshed(api, newest["refresh"])

    assert UserSession.objects.get().last_activity_at == NOON + dt.timedelta(minutes=5)


def log_out(api: APIClient, tokens: Tokens, person: User) -> None:
    assert post_as(api, tokens, f"{API}/logout/").status_code == 200


def terminate_from_another_device(api: APIClient, tokens: Tokens, person: User) -> None:
    other = sign_in(api, person)
    url = f"{API}/sessions/{claims_of(tokens['access'])['sid']}/"
    assert api.delete(url, headers=bearer(other["access"])).status_code == 200


def disable_account(api: APIClient, tokens: Tokens, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def delete_account(api: APIClient, tokens: Tokens, person: User) -> None:
    tamper(User.objects.filter(pk=person.pk))


ENDS = pytest.mark.parametrize(
    "end", [log_out, terminate_from_another_device, disable_account, delete_account]
)


@ENDS
def test_an_access_token_is_refused_as_soon_as_its_session_ends(
    api: APIClient, signed_in: Tokens, person: User, end: Callable[[APIClient, Tokens, User], None]
) -> None:
    assert use_access(api, signed_in) == 200
    end(api, signed_in, person)
    before = rows()

    answer = get_as(api, signed_in, ME)

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@ENDS
def test_the_access_tokens_of_every_rotation_end_with_their_session(
    api: APIClient, signed_in: Tokens, person: User, end: Callable[[APIClient, Tokens, User], None]
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    assert [use_access(api, tokens) for tokens in (signed_in, newest)] == [200, 200]

    end(api, signed_in, person)

    assert [use_access(api, tokens) for tokens in (signed_in, newest)] == [401, 401]


@stopped
def test_an_access_token_from_before_a_password_change_is_refused(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, person: User
) -> None:
    time_machine.shift(1)
    set_password(person)

    assert refusal_of(get_as(api, signed_in, ME)) == TOKEN_INVALID


def test_a_header_without_a_bearer_token_is_refused(api: APIClient, signed_in: Tokens) -> None:
    access = signed_in["access"]
    headers = [
        "Bearer",
        "Bearer ",
        "Bearer  a b",
        "Bearer token",
        "Bearer t\u00f6ken",
        "Basic cnV0aDpwYXNz",
        f"Token {access}",
        access,
        f"Bearer {access} {access}",
        "",
    ]

    assert (
        unexpected(
            headers,
            lambda header: refusal_of(api.get(ME, HTTP_AUTHORIZATION=header)),
            TOKEN_INVALID,
        )
        == {}
    )


def test_a_request_without_a_header_is_refused(api: APIClient, db: None) -> None:
    assert refusal_of(api.get(ME)) == TOKEN_INVALID


def test_the_scheme_may_be_written_in_any_case(api: APIClient, signed_in: Tokens) -> None:
    def outcome(scheme: str) -> int:
        header = {"Authorization": f"{scheme} {signed_in['access']}"}
        return int(api.get(ME, headers=header).status_code)

    assert unexpected(["Bearer", "bearer", "BEARER"], outcome, 200) == {}


def test_an_access_token_in_the_query_string_is_refused(api: APIClient, signed_in: Tokens) -> None:
    assert (
        unexpected(
            ["access_token", "access", "token", "bearer", "jwt"],
            lambda name: refusal_of(api.get(f"{ME}?{name}={signed_in['access']}")),
            TOKEN_INVALID,
        )
        == {}
    )


def test_a_refresh_token_in_the_query_string_is_refused(api: APIClient, signed_in: Tokens) -> None:
    before = rows()

    assert (
        unexpected(
            ["refresh", "refresh_token"],
            lambda name: refusal_of(api.post(f"{REFRESH}?{name}={signed_in['refresh']}")),
            TOKEN_INVALID,
        )
        == {}
    )
    assert rows() == before


def test_an_access_token_in_a_cookie_or_in_the_body_is_ignored(
    api: APIClient, signed_in: Tokens
) -> None:
    api.cookies["access_token"] = signed_in["access"]

    answer = api.patch(ME, {"access_token": signed_in["access"], "display_name": "Eve"})

    assert refusal_of(answer) == TOKEN_INVALID


def test_an_access_token_shows_its_own_users_profile(api: APIClient, db: None) -> None:
    ruth, naomi = UserFactory(), UserFactory()

    seen = [get_as(api, sign_in(api, person), ME).json()["id"] for person in (ruth, naomi)]

    assert seen == [str(ruth.pk), str(naomi.pk)]


def test_a_forged_access_token_is_refused_and_changes_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    assert (
        not_refused(
            lambda token: api.get(ME, headers=bearer(token)),
            claims_of(signed_in["access"]),
            leaving_out={"not ASCII"},
        )
        == {}
    )
