"""Limits of sessions: who holds one session cannot spend the limit of another."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.answers import cookie_of, problem_code
from authentication.tests.clients import REFRESH, Tokens, get_as, log_in, post_as, sign_in
from authentication.tests.conftest import API, bearer

SESSIONS = f"{API}/sessions/"
OWNER, THIEF = "192.0.2.1", "203.0.113.9"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stopped_clock(time_machine: TimeMachineFixture) -> None:
    """Stop the clock, so that no window ends in the middle of a test."""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


@pytest.fixture
def ended(api: APIClient, person: User, signed_in: Tokens) -> Tokens:
    """Return the tokens of a session that another session has ended."""
    tokens = sign_in(api, person)
    assert post_as(api, signed_in, f"{SESSIONS}terminate-all/").status_code == 200
    return tokens


def refresh(api: APIClient, tokens: Tokens, address: str) -> Any:
    return api.post(REFRESH, {"refresh": tokens["refresh"]}, REMOTE_ADDR=address)


def test_a_revoked_refresh_token_in_a_loop_leaves_the_owner_all_refreshes(
    api: APIClient, signed_in: Tokens, ended: Tokens
) -> None:
    loop = [refresh(api, ended, THIEF).status_code for _ in range(70)]

    answer = refresh(api, signed_in, OWNER)

    assert loop == [401] * 60 + [429] * 10
    assert answer.status_code == 200
    assert answer["RateLimit"].startswith('"token_refresh";r=59;')


def test_refresh_tokens_of_ended_sessions_are_counted_by_address(
    api: APIClient, person: User, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "2/h"}
    others = [sign_in(api, person) for _ in range(4)]
    post_as(api, signed_in, f"{SESSIONS}terminate-all/")

    here = [refresh(api, tokens, THIEF).status_code for tokens in others]
    elsewhere = refresh(api, others[0], OWNER)

    assert here == [401, 401, 429, 429]
    assert elsewhere.status_code == 401
    assert elsewhere["RateLimit"].startswith('"token_refresh";r=1;')


def test_a_refused_refresh_of_an_ended_session_keeps_the_cookie(
    api: APIClient, browser: APIClient, person: User, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "token_refresh": "1/h"}
    log_in(browser, person)
    cookie = browser.cookies["refresh_token"].value
    post_as(api, signed_in, f"{SESSIONS}terminate-all/")

    first = browser.post(REFRESH)
    browser.cookies["refresh_token"] = cookie
    second = browser.post(REFRESH)

    assert (first.status_code, second.status_code) == (401, 429)
    assert cookie_of(second) is None


def test_a_revoked_access_token_in_a_loop_leaves_the_owner_all_session_calls(
    api: APIClient, signed_in: Tokens, ended: Tokens
) -> None:
    loop = [
        api.get(SESSIONS, headers=bearer(ended["access"]), REMOTE_ADDR=THIEF).status_code
        for _ in range(35)
    ]

    answer = get_as(api, signed_in, SESSIONS)

    assert loop == [401] * 30 + [429] * 5
    assert answer.status_code == 200
    assert answer["RateLimit"].startswith('"sessions";r=29;')


def test_an_expired_or_forged_access_token_is_a_401_at_any_number(
    api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(24 * 3600)

    codes = {
        problem_code(api.get(SESSIONS, headers=bearer(token)))
        for token in [signed_in["access"], "forged"] * 20
    }

    assert codes == {"token_invalid"}


def test_a_thief_with_a_live_session_spends_only_that_one(
    api: APIClient, person: User, signed_in: Tokens
) -> None:
    stolen = sign_in(api, person)
    calls: list[tuple[str, str]] = [("get", SESSIONS), ("post", f"{API}/reauthenticate/")]
    for method, url in calls:
        while getattr(api, method)(url, headers=bearer(stolen["access"])).status_code != 429:
            pass
    while refresh(api, stolen, THIEF).status_code == 200:
        pass

    (thiefs,) = [
        it["id"]
        for it in get_as(api, signed_in, SESSIONS).json()["sessions"]
        if not it["is_current"]
    ]
    ended = api.delete(f"{SESSIONS}{thiefs}/", headers=bearer(signed_in["access"]))

    assert ended.status_code == 200
    assert refresh(api, signed_in, OWNER).status_code == 200


def test_listing_until_the_limit_leaves_every_way_to_end_a_session(
    api: APIClient, person: User, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "sessions": "1/h", "activity": "1/h"}
    event = get_as(api, signed_in, f"{API}/account/activity/").json()["events"][0]["id"]
    assert get_as(api, signed_in, f"{API}/account/activity/").status_code == 429
    assert get_as(api, signed_in, SESSIONS).status_code == 200
    assert get_as(api, signed_in, SESSIONS).status_code == 429

    others = post_as(api, signed_in, f"{SESSIONS}terminate-all/")
    nothing = api.delete(
        f"{SESSIONS}0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10/", headers=bearer(signed_in["access"])
    )
    disowned = post_as(api, signed_in, f"{API}/account/activity/{event}/disown/")

    assert [it.status_code for it in (others, nothing, disowned)] == [200, 404, 200]


@pytest.mark.parametrize(
    "url", ["account/disown-session/", "account/email/undo/"], ids=["disown", "undo"]
)
def test_links_that_verify_an_address_do_not_spend_the_limit_of_links_that_take_back(
    api: APIClient, url: str
) -> None:
    body = {"token": "x"}
    while api.post(f"{API}/email/verify/", body).status_code != 429:
        pass

    assert api.post(f"{API}/{url}", body).status_code == 400
