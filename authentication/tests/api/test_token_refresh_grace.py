"""POST /api/v1/auth/token/refresh/: the previous token returns the same successor for a while."""

import datetime as dt

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import UserSession
from authentication.tests.answers import TOKEN_INVALID, cookie_of, refusal_of, rows
from authentication.tests.clients import (
    NOON,
    REFRESH,
    Tokens,
    refresh_by_cookie,
    refreshed,
    use_access,
)

pytestmark = pytest.mark.time_machine(NOON, tick=False)


@pytest.mark.parametrize("seconds", [0, 1, 9.9, 10])
def test_the_previous_token_returns_the_same_successor_for_ten_seconds(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, seconds: float
) -> None:
    first = refreshed(api, signed_in["refresh"])
    use_access(api, first)
    before = rows()
    time_machine.shift(seconds)

    second = refreshed(api, signed_in["refresh"])

    assert second["refresh"] == first["refresh"]
    assert use_access(api, second) == 200
    assert rows() == before


def test_a_second_tab_gets_the_same_cookie(api: APIClient, signed_in: Tokens) -> None:
    first = refresh_by_cookie(api, signed_in["refresh"])
    second = refresh_by_cookie(api, signed_in["refresh"])

    assert first.status_code == second.status_code == 200
    assert cookie_of(first) == cookie_of(second) is not None


def test_the_grace_period_starts_at_the_rotation_and_is_never_extended(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    for _ in range(3):
        time_machine.shift(6)
        refreshed(api, signed_in["refresh"])
    # Ten seconds, and ten of leeway: the rotation's time may be another replica's.
    time_machine.shift(2.001)

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


@pytest.mark.parametrize("hours", [1, 24, 6 * 24])
def test_an_unused_successor_is_returned_again_hours_later(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, hours: int
) -> None:
    lost = refreshed(api, signed_in["refresh"])
    before = rows()
    time_machine.shift(dt.timedelta(hours=hours))

    found = refreshed(api, signed_in["refresh"])

    assert found["refresh"] == lost["refresh"]
    assert rows() == before
    assert found["expires_in"] == 900
    assert use_access(api, found) == 200
    assert refreshed(api, found["refresh"])["refresh"] != found["refresh"]


def test_a_successor_is_returned_as_often_as_its_answer_is_lost(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    answers = []
    for _ in range(4):
        answers.append(refreshed(api, signed_in["refresh"])["refresh"])
        time_machine.shift(3600)

    assert len(set(answers)) == 1


def test_an_older_access_token_does_not_count_as_use_of_the_successor(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    lost = refreshed(api, signed_in["refresh"])
    assert use_access(api, signed_in) == 200
    time_machine.shift(600)

    found = refreshed(api, signed_in["refresh"])

    assert found["refresh"] == lost["refresh"]


def test_the_setting_decides_the_grace_period(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.REFRESH_REUSE_GRACE = dt.timedelta(seconds=30)
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    time_machine.shift(29)

    assert refreshed(api, signed_in["refresh"])["refresh"] == newest["refresh"]


def test_a_successor_is_returned_again_after_the_expiry_of_the_previous_token(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(dt.timedelta(days=7, seconds=-60))
    lost = refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)

    found = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert found.status_code == 200, found.content
    assert found.json()["refresh"] == lost["refresh"]


@pytest.mark.parametrize("reason", ["logout", "terminated", "reuse", "evicted", "password_change"])
def test_an_ended_session_has_no_grace_period(
    api: APIClient, signed_in: Tokens, reason: str
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    UserSession.objects.get().deactivate(reason)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (signed_in, newest)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert rows() == before
