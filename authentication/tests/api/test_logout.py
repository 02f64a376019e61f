"""POST /api/v1/auth/logout/."""

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of, rows
from authentication.tests.clients import REFRESH, Tokens, sign_in, use_access, use_refresh
from authentication.tests.conftest import API, BROWSER, ME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/logout/"
LOGGED_OUT = {"message": "Logged out successfully"}
COOKIE = "refresh_token"

pytestmark = pytest.mark.django_db


def test_an_access_token_ends_its_session(api: APIClient, signed_in: Tokens, person: User) -> None:
    answer = api.post(URL, headers=bearer(signed_in["access"]))

    session = UserSession.objects.get()
    assert (answer.status_code, answer.json()) == (200, LOGGED_OUT)
    assert (session.is_active, session.end_reason) == (False, "logout")
    assert TokenBlacklist.objects.get().jti == session.refresh_token_jti
    assert AuditLog.objects.get(event_type="logout").user == person
    assert not OutgoingEmail.objects.filter(kind="token_reuse").exists()


def test_both_tokens_are_dead_at_once(api: APIClient, signed_in: Tokens) -> None:
    api.post(URL, headers=bearer(signed_in["access"]))

    assert use_access(api, signed_in) == 401
    assert use_refresh(api, signed_in) == 401
    assert api.post(f"{API}/token/verify/", {"token": signed_in["access"]}).status_code == 401


def test_no_body_is_needed(api: APIClient, signed_in: Tokens) -> None:
    answer = api.generic("POST", URL, "", content_type="", headers=bearer(signed_in["access"]))

    assert answer.status_code == 200


@pytest.mark.parametrize("carrier", ["body", "cookie"])
def test_with_an_expired_access_token_the_refresh_token_tells_the_session(
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
def test_a_header_that_is_no_token_leaves_it_to_the_refresh_token(
    api: APIClient, signed_in: Tokens, header: str
) -> None:
    answer = api.post(URL, {"refresh": signed_in["refresh"]}, headers={"Authorization": header})

    assert answer.status_code == 200
    assert not UserSession.objects.get().is_active


def test_the_previous_refresh_token_still_tells_its_session(
    api: APIClient, signed_in: Tokens
) -> None:
    use_refresh(api, signed_in)

    answer = api.post(URL, {"refresh": signed_in["refresh"]})

    assert answer.status_code == 200
    assert not UserSession.objects.get().is_active


def test_a_browser_signs_out_by_its_cookie(browser: APIClient, person: User) -> None:
    browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

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
    login = browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

    answer = browser.post(URL, headers=bearer(login.json()["access"]))

    was, now = dict(login.cookies[name]), dict(answer.cookies[name])
    ages = {"max-age", "expires"}
    assert answer.cookies[name].value == ""
    assert (now["max-age"], now["expires"]) == (0, "Thu, 01 Jan 1970 00:00:00 GMT")
    assert {key: value for key, value in now.items() if key not in ages} == {
        key: value for key, value in was.items() if key not in ages
    }


def test_a_browser_gets_a_new_csrf_token(browser: APIClient, person: User) -> None:
    browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
    before = browser.cookies["csrftoken"].value

    browser.post(URL)

    assert browser.cookies["csrftoken"].value != before


def test_the_persons_other_devices_stay_signed_in(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    other = sign_in(api, person)

    api.post(URL, headers=bearer(signed_in["access"]))

    assert use_access(api, signed_in) == 401
    assert use_access(api, other) == 200
    assert use_refresh(api, other) == 200


def test_other_people_stay_signed_in(api: APIClient, signed_in: Tokens) -> None:
    stranger = sign_in(api, UserFactory())

    api.post(URL, headers=bearer(signed_in["access"]))

    assert use_access(api, stranger) == 200


class TestRefusals:
    def test_without_any_token_nothing_ends(self, api: APIClient, signed_in: Tokens) -> None:
        before = rows()

        answer = api.post(URL)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) is None
        assert rows() == before

    def test_the_second_time_is_a_401(self, api: APIClient, signed_in: Tokens) -> None:
        api.post(URL, {"refresh": signed_in["refresh"]}, headers=bearer(signed_in["access"]))
        before = rows()

        by_access = api.post(URL, headers=bearer(signed_in["access"]))
        by_refresh = api.post(URL, {"refresh": signed_in["refresh"]})

        assert refusal_of(by_access) == refusal_of(by_refresh) == TOKEN_INVALID
        assert rows() == before

    def test_the_cookie_of_a_session_that_is_over_is_cleared(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        api.post(URL, headers=bearer(signed_in["access"]))
        api.cookies[COOKIE] = signed_in["refresh"]

        answer = api.post(URL)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) == CLEARED

    @pytest.mark.parametrize(
        "cookie", ["garbage", "a.b.c", "\u00fc", "x" * 4000], ids=lambda it: ascii(it)[:24]
    )
    def test_a_cookie_that_says_nothing_is_left_alone(
        self, api: APIClient, signed_in: Tokens, cookie: str
    ) -> None:
        before = rows()
        api.cookies[COOKIE] = cookie

        answer = api.post(URL)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) is None
        assert rows() == before

    def test_a_token_of_the_other_kind_is_none(self, api: APIClient, signed_in: Tokens) -> None:
        before = rows()

        as_access = api.post(URL, headers=bearer(signed_in["refresh"]))
        as_refresh = api.post(URL, {"refresh": signed_in["access"]})

        assert refusal_of(as_access) == refusal_of(as_refresh) == TOKEN_INVALID
        assert rows() == before

    def test_a_foreign_page_signs_nobody_out(self, browser: APIClient, person: User) -> None:
        browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})
        before = rows()

        answer = browser.post(
            URL, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert cookie_of(answer) is None
        assert rows() == before

    def test_get_signs_nobody_out(self, api: APIClient, signed_in: Tokens) -> None:
        answer = api.get(URL, headers=bearer(signed_in["access"]))

        assert answer.status_code == 405
        assert use_access(api, signed_in) == 200


class TestMalformed:
    @pytest.mark.parametrize(
        "value", [None, 1, True, [], ["x"], {}, "a\x00b", "a\ud800b"], ids=ascii
    )
    def test_a_refresh_token_is_a_string(
        self, api: APIClient, signed_in: Tokens, value: object
    ) -> None:
        before = rows()
        asked = json.dumps({"refresh": value})

        answer = api.post(
            URL, asked, content_type="application/json", headers=bearer(signed_in["access"])
        )

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"refresh"}
        assert rows() == before

    def test_the_cookie_survives_a_body_that_cannot_be_read(
        self, browser: APIClient, person: User
    ) -> None:
        browser.post(f"{API}/login/", {"email": person.email, "password": PASSWORD})

        answer = browser.generic("POST", URL, "{", content_type="application/json")

        assert answer.status_code == 400
        assert cookie_of(answer) is None
        assert browser.post(REFRESH, headers=BROWSER).status_code == 200


def test_a_disabled_persons_token_ends_nothing(
    api: APIClient, signed_in: Tokens, person: User
) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)

    answer = api.post(URL, headers=bearer(signed_in["access"]))

    assert refusal_of(answer) == TOKEN_INVALID
    assert api.get(ME, headers=bearer(signed_in["access"])).status_code == 401
