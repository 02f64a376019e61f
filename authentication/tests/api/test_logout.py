"""POST /api/v1/auth/logout/."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refusal_of,
    rows,
    unexpected,
)
from authentication.tests.clients import (
    FOREIGN_PAGE,
    Tokens,
    get_as,
    log_in,
    post_as,
    sign_in,
    use_access,
    use_refresh,
    use_verify,
)
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory

URL = f"{API}/logout/"
LOGGED_OUT = {"message": "Logged out successfully"}
COOKIE = "refresh_token"

pytestmark = pytest.mark.django_db


def test_an_access_token_ends_its_session(api: APIClient, signed_in: Tokens, person: User) -> None:
    answer = post_as(api, signed_in, URL)

    session = UserSession.objects.get()
    assert (answer.status_code, answer.json()) == (200, LOGGED_OUT)
    assert (session.is_active, session.end_reason) == (False, "logout")
    assert TokenBlacklist.objects.get().jti == session.refresh_token_jti
    assert AuditLog.objects.get(event_type="logout").user == person
    assert not OutgoingEmail.objects.filter(kind="token_reuse").exists()


def test_both_tokens_are_refused_at_once(api: APIClient, signed_in: Tokens) -> None:
    post_as(api, signed_in, URL)

    assert use_access(api, signed_in) == 401
    assert use_refresh(api, signed_in) == 401
    assert use_verify(api, signed_in) == 401


def test_a_request_without_a_body_ends_the_session(api: APIClient, signed_in: Tokens) -> None:
    answer = api.generic("POST", URL, "", content_type="", headers=bearer(signed_in["access"]))

    assert answer.status_code == 200
    assert not UserSession.objects.get().is_active


@pytest.mark.parametrize("carrier", ["body", "cookie"])
def test_a_refresh_token_ends_its_session_when_the_access_token_has_expired(
    time_machine: TimeMachineFixture, api: APIClient, person: User, carrier: str
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    tokens = sign_in(api, person)
    time_machine.shift(dt.timedelta(hours=1))

    if carrier == "cookie":
        api.cookies[COOKIE] = tokens["refresh"]
    answer = api.post(
        URL,
        {"refresh": tokens["refresh"]} if carrier == "body" else {},
        headers=bearer(tokens["access"]),
    )

    assert (answer.status_code, answer.json()) == (200, LOGGED_OUT)
    assert not UserSession.objects.get().is_active


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer a b", "Bearer garbage", "Basic dXNlcjpwYXNz", "Bearer \u00fc"]
)
def test_a_refresh_token_ends_its_session_when_the_header_holds_no_token(
    api: APIClient, signed_in: Tokens, header: str
) -> None:
    answer = api.post(URL, {"refresh": signed_in["refresh"]}, headers={"Authorization": header})

    assert answer.status_code == 200
    assert not UserSession.objects.get().is_active


def test_the_previous_refresh_token_ends_its_session(api: APIClient, signed_in: Tokens) -> None:
    use_refresh(api, signed_in)

    answer = api.post(URL, {"refresh": signed_in["refresh"]})

    assert answer.status_code == 200
    assert not UserSession.objects.get().is_active


def test_the_cookie_of_a_browser_ends_its_session(browser: APIClient, person: User) -> None:
    log_in(browser, person)

    answer = browser.post(URL)

    assert (answer.status_code, answer.json()) == (200, LOGGED_OUT)
    assert cookie_of(answer) == CLEARED
    assert not UserSession.objects.get().is_active


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"SECURE": True, "SAMESITE": "None"},
        {"DOMAIN": "example.org", "PATH": "/api/"},
        {"NAME": "other", "HTTPONLY": True, "SAMESITE": "Strict"},
    ],
    ids=str,
)
def test_the_cookie_is_cleared_with_every_attribute_it_was_set_with(
    browser: APIClient, person: User, settings: Settings, changed: dict[str, Any]
) -> None:
    for name, value in changed.items():
        setattr(settings, f"REFRESH_TOKEN_COOKIE_{name}", value)
    name = settings.REFRESH_TOKEN_COOKIE_NAME
    login = log_in(browser, person)

    answer = browser.post(URL, headers=bearer(login.json()["access"]))

    was, now = dict(login.cookies[name]), dict(answer.cookies[name])
    ages = {"max-age", "expires"}
    assert answer.cookies[name].value == ""
    assert (now["max-age"], now["expires"]) == (0, "Thu, 01 Jan 1970 00:00:00 GMT")
    assert {key: value for key, value in now.items() if key not in ages} == {
        key: value for key, value in was.items() if key not in ages
    }


def test_a_browser_gets_a_new_csrf_token(browser: APIClient, person: User) -> None:
    log_in(browser, person)
    before = browser.cookies["csrftoken"].value

    browser.post(URL)

    assert browser.cookies["csrftoken"].value != before


def test_the_other_devices_of_the_user_stay_signed_in(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    other = sign_in(api, person)

    post_as(api, signed_in, URL)

    assert use_access(api, signed_in) == 401
    assert use_access(api, other) == 200
    assert use_refresh(api, other) == 200


def test_other_users_stay_signed_in(api: APIClient, signed_in: Tokens) -> None:
    other = sign_in(api, UserFactory())

    post_as(api, signed_in, URL)

    assert use_access(api, signed_in) == 401
    assert use_access(api, other) == 200


class TestRefusals:
    def test_a_request_without_a_token_ends_no_session(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        before = rows()

        answer = api.post(URL)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) is None
        assert rows() == before

    def test_the_tokens_of_an_ended_session_are_refused(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        api.post(URL, {"refresh": signed_in["refresh"]}, headers=bearer(signed_in["access"]))
        before = rows()

        by_access = post_as(api, signed_in, URL)
        by_refresh = api.post(URL, {"refresh": signed_in["refresh"]})

        assert refusal_of(by_access) == refusal_of(by_refresh) == TOKEN_INVALID
        assert rows() == before

    def test_the_cookie_of_an_ended_session_is_cleared(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        post_as(api, signed_in, URL)
        api.cookies[COOKIE] = signed_in["refresh"]

        answer = api.post(URL)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) == CLEARED

    def test_a_malformed_cookie_is_refused_and_kept(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        before = rows()

        def outcome(cookie: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
            api.cookies[COOKIE] = cookie
            answer = api.post(URL)
            return refusal_of(answer), cookie_of(answer)

        cookies = ["garbage", "a.b.c", "\u00fc", "x" * 4000]
        assert unexpected(cookies, outcome, (TOKEN_INVALID, None)) == {}
        assert rows() == before

    def test_a_token_of_the_other_kind_is_refused(self, api: APIClient, signed_in: Tokens) -> None:
        before = rows()

        as_access = api.post(URL, headers=bearer(signed_in["refresh"]))
        as_refresh = api.post(URL, {"refresh": signed_in["access"]})

        assert refusal_of(as_access) == refusal_of(as_refresh) == TOKEN_INVALID
        assert rows() == before

    def test_a_foreign_page_cannot_end_a_session(self, browser: APIClient, person: User) -> None:
        log_in(browser, person)
        before = rows()

        answer = browser.post(URL, headers=FOREIGN_PAGE)

        assert_problem(answer, 403, "csrf_failed")
        assert cookie_of(answer) is None
        assert rows() == before

    def test_get_does_not_end_the_session(self, api: APIClient, signed_in: Tokens) -> None:
        answer = get_as(api, signed_in, URL)

        assert answer.status_code == 405
        assert use_access(api, signed_in) == 200


def test_the_token_of_a_disabled_account_is_refused(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)

    answer = post_as(api, signed_in, URL)

    assert refusal_of(answer) == TOKEN_INVALID
    assert use_access(api, signed_in) == 401
