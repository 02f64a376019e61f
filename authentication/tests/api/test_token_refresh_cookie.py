"""POST /api/v1/auth/token/refresh/: when the cookie is cleared and when it is kept."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    EVIL,
    NOON,
    REFRESH,
    Tokens,
    refresh_by_cookie,
    refreshed,
    set_password,
    use_access,
    use_refresh,
)
from authentication.tests.forging import FORGERIES, claims_of

pytestmark = pytest.mark.time_machine(NOON, tick=False)


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
def test_the_cookie_is_cleared_when_its_session_is_over(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    person: User,
    end: Callable[[User, TimeMachineFixture], None],
) -> None:
    end(person, time_machine)

    by_body = api.post(REFRESH, {"refresh": signed_in["refresh"]})
    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == refusal_of(by_body) == TOKEN_INVALID
    assert cookie_of(answer) == CLEARED
    assert cookie_of(by_body) is None


def test_the_cookie_is_cleared_on_reuse(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    use_access(api, refreshed(api, signed_in["refresh"]))
    time_machine.shift(21)

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) == CLEARED


def test_a_malformed_or_forged_token_or_an_access_token_clears_no_cookie(
    api: APIClient, signed_in: Tokens
) -> None:
    names = [
        "a word",
        "another's key",
        "no signature",
        "alg none",
        "no sid",
        "iss of another",
        "jti a number",
        "10 kB",
    ]
    tokens = {name: FORGERIES[name](claims_of(signed_in["refresh"])) for name in names}
    tokens["access token"] = signed_in["access"]

    answers = {name: refresh_by_cookie(api, token) for name, token in tokens.items()}

    assert {
        name: (refusal_of(answer), cookie_of(answer)) for name, answer in answers.items()
    } == dict.fromkeys(tokens, (TOKEN_INVALID, None))


def test_a_late_answer_to_an_expired_token_keeps_the_newer_cookie(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(dt.timedelta(days=7, seconds=-60))
    newest = refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)

    late = refresh_by_cookie(api, signed_in["refresh"])

    assert UserSession.objects.get().is_active
    assert cookie_of(late) != CLEARED
    assert use_refresh(api, newest) == 200


def test_a_cross_site_request_is_refused_and_changes_nothing(
    api: APIClient, signed_in: Tokens
) -> None:
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"], Origin=EVIL)

    assert_problem(answer, 403, "csrf_failed")
    assert cookie_of(answer) is None
    assert rows() == before


def test_a_request_above_the_rate_limit_changes_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "1/h"}
    token = refreshed(api, signed_in["refresh"])["refresh"]
    before = rows()

    answer = refresh_by_cookie(api, token)

    assert_problem(answer, 429, "rate_limited")
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert cookie_of(answer) is None
    assert rows() == before


def test_a_failing_database_is_a_503_and_keeps_the_cookie(
    api: APIClient, signed_in: Tokens
) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail):
        answer = refresh_by_cookie(api, signed_in["refresh"])

    assert_problem(answer, 503, "service_unavailable")
    assert int(answer["Retry-After"]) > 0
    assert cookie_of(answer) is None


def test_an_exception_is_a_500_and_keeps_the_cookie(api: APIClient, signed_in: Tokens) -> None:
    def crash(*args: Any) -> None:
        raise RuntimeError("a bug")

    before = rows()
    with connection.execute_wrapper(crash):
        answer = refresh_by_cookie(api, signed_in["refresh"])

    assert_problem(answer, 500, "server_error")
    assert cookie_of(answer) is None
    assert rows() == before
