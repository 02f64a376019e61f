"""The rate limit of POST /api/v1/auth/token/refresh/."""

import datetime as dt

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.answers import cookie_of, rows
from authentication.tests.clients import REFRESH, Tokens, log_in, sign_in
from authentication.tests.conftest import BROWSER
from authentication.tests.factories import UserFactory
from authentication.tests.limits import set_limits

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


@pytest.fixture(autouse=True)
def _two_an_hour(settings: Settings) -> None:
    set_limits(settings, token_refresh="2/h")


def test_a_session_is_counted_by_itself_at_every_address(
    browser: APIClient, person: User, signed_in: Tokens, api: APIClient
) -> None:
    log_in(browser, person)
    statuses = [
        browser.post(REFRESH, headers=BROWSER, REMOTE_ADDR=f"192.0.2.{n}").status_code
        for n in range(3)
    ]

    other = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert statuses == [200, 200, 429]
    assert other.status_code == 200


def test_users_behind_one_address_are_counted_apart(api: APIClient, db: None) -> None:
    signed_in = [sign_in(api, UserFactory()) for _ in range(4)]

    statuses = [
        api.post(REFRESH, {"refresh": tokens["refresh"]}).status_code for tokens in signed_in
    ]

    assert statuses == [200] * 4


def test_a_limited_refresh_keeps_the_token_and_the_cookie(
    time_machine: TimeMachineFixture, browser: APIClient, person: User
) -> None:
    log_in(browser, person)
    for _ in range(2):
        browser.post(REFRESH)
    before = rows()

    refused = browser.post(REFRESH)

    assert refused.status_code == 429
    assert cookie_of(refused) is None
    assert rows() == before
    time_machine.shift(dt.timedelta(seconds=int(refused["Retry-After"]) + 1))
    assert browser.post(REFRESH).status_code == 200


@pytest.mark.parametrize("token", ["forged", "", "a.b.c"])
def test_a_request_without_a_valid_token_is_counted_by_address(
    api: APIClient, signed_in: Tokens, token: str
) -> None:
    body = {"refresh": token} if token else {}

    statuses = [api.post(REFRESH, body).status_code for _ in range(3)]

    assert statuses == [401, 401, 429]
    assert api.post(REFRESH, {"refresh": signed_in["refresh"]}).status_code == 200


def test_a_forged_token_does_not_count_for_the_user_it_names(
    api: APIClient, signed_in: Tokens
) -> None:
    head, claims, signature = signed_in["refresh"].split(".")
    forged = f"{head}.{claims}.{signature[::-1]}"

    for _ in range(3):
        api.post(REFRESH, {"refresh": forged})

    assert api.post(REFRESH, {"refresh": signed_in["refresh"]}).status_code == 200
