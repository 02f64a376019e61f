"""POST /api/v1/auth/login/: the names it takes, and how its tokens are carried."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.factories import PASSWORD, UserFactory

from .logins import COOKIE, NAMES, URL, assert_not_signed_in

ATTRIBUTES = ("path", "domain", "max-age", "secure", "httponly", "samesite")

pytestmark = pytest.mark.django_db


class TestIdentifiers:
    @pytest.mark.parametrize("field", NAMES)
    @pytest.mark.parametrize(
        "value",
        ["ruth@example.org", "RUTH@Example.org", " ruth@example.org ", "ruth", "RUTH", "\uff52uth"],
    )
    def test_any_of_the_three_fields_takes_either_name(
        self, api: APIClient, field: str, value: str
    ) -> None:
        UserFactory(email="Ruth@example.org", username="Ruth")

        answer = api.post(URL, {field: value, "password": PASSWORD})

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize(
        "typed", ["ruthmoab@gmail.com", "R.U.T.H.moab+x@GOOGLEMAIL.com", "ruth.moab@gmail.com."]
    )
    def test_gmail_addresses_are_one_however_written(self, api: APIClient, typed: str) -> None:
        UserFactory(email="ruth.moab+vineyard@gmail.com")

        answer = api.post(URL, {"email": typed, "password": PASSWORD})

        assert answer.status_code == 200, answer.content

    def test_dots_and_tags_count_elsewhere(self, api: APIClient) -> None:
        UserFactory(email="ruth.moab@example.org")

        for typed in ("ruthmoab@example.org", "ruth.moab+x@example.org"):
            assert_not_signed_in(
                api.post(URL, {"email": typed, "password": PASSWORD}), 401, "invalid_credentials"
            )

    def test_the_first_one_given_decides(self, api: APIClient, person: User) -> None:
        answer = api.post(
            URL, {"email_or_username": person.email, "username": "nobody", "password": PASSWORD}
        )

        assert answer.status_code == 200

    @pytest.mark.parametrize("yes", ["true", "on", "1"])
    def test_form_flags_have_the_spellings_of_forms(
        self, api: APIClient, person: User, yes: str
    ) -> None:
        asked = {"email": person.email, "password": PASSWORD, "remember_me": yes}

        answer = api.post(URL, asked, format="multipart")

        assert answer.status_code == 200
        assert UserSession.objects.get().remember_me


class TestCarriers:
    def test_a_browser_gets_its_refresh_token_by_cookie_alone(
        self, browser: APIClient, person: User
    ) -> None:
        answer = browser.post(URL, {"email": person.email, "password": PASSWORD})

        cookie = answer.cookies[COOKIE]
        assert answer.json().keys() == {
            "access_token",
            "access",
            "expires_in",
            "token_type",
            "user",
        }
        assert cookie.value
        assert cookie.value not in answer.content.decode()

    def test_an_app_gets_it_in_the_body_and_by_cookie(self, api: APIClient, person: User) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD})

        assert answer.json()["refresh"] == answer.cookies[COOKIE].value

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://localhost:3000"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
            {"Sec-Fetch-Dest": "empty", "Origin": "http://testserver"},
        ],
    )
    def test_any_browser_header_means_a_browser(
        self, api: APIClient, person: User, headers: dict[str, str]
    ) -> None:
        answer = api.post(URL, {"email": person.email, "password": PASSWORD}, headers=headers)

        assert answer.status_code == 200
        assert "refresh" not in answer.json()

    @pytest.mark.parametrize("remember_me", [True, False])
    def test_the_cookies_attributes_are_the_specifications(
        self, browser: APIClient, person: User, *, remember_me: bool
    ) -> None:
        answer = browser.post(
            URL, {"email": person.email, "password": PASSWORD, "remember_me": remember_me}
        )

        cookie = answer.cookies[COOKIE]
        assert {name: cookie[name] for name in ATTRIBUTES} == {
            "path": "/",
            "domain": "",
            "max-age": 14 * 24 * 3600,
            "secure": "",
            "httponly": True,
            "samesite": "Lax",
        }

    def test_the_cookies_attributes_follow_the_settings(
        self, browser: APIClient, person: User, settings: Settings
    ) -> None:
        settings.REFRESH_TOKEN_COOKIE_NAME = "other"
        settings.REFRESH_TOKEN_COOKIE_SECURE = True
        settings.REFRESH_TOKEN_COOKIE_DOMAIN = "example.org"
        settings.REFRESH_TOKEN_COOKIE_SAMESITE = "Strict"

        answer = browser.post(URL, {"email": person.email, "password": PASSWORD})

        cookie = answer.cookies["other"]
        assert COOKIE not in answer.cookies
        assert (cookie["secure"], cookie["domain"], cookie["samesite"]) == (
            True,
            "example.org",
            "Strict",
        )

    @pytest.mark.parametrize("client", ["api", "browser"])
    def test_without_the_cookie_everybody_gets_the_body(
        self, request: pytest.FixtureRequest, person: User, settings: Settings, client: str
    ) -> None:
        settings.ENABLE_COOKIE_REFRESH_TOKEN = False

        answer = request.getfixturevalue(client).post(
            URL, {"email": person.email, "password": PASSWORD}
        )

        assert answer.json()["refresh"]
        assert COOKIE not in answer.cookies
