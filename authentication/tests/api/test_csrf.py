"""GET /api/v1/auth/csrf/."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.conftest import API, CHROME
from authentication.tests.factories import PASSWORD

URL = f"{API}/csrf/"
LOGIN = f"{API}/login/"
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "User-Agent": CHROME}

pytestmark = pytest.mark.django_db


def test_a_page_gets_a_token_and_the_cookie_that_goes_with_it(browser: APIClient) -> None:
    answer = browser.get(URL)

    cookie = answer.cookies["csrftoken"]
    assert answer.status_code == 200
    assert answer.json().keys() == {"csrfToken"}
    assert len(answer.json()["csrfToken"]) == 64
    assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Lax", "")
    assert answer["Cache-Control"] == "no-store"
    assert "Cookie" in answer["Vary"]


def test_an_app_may_ask_too(api: APIClient) -> None:
    answer = api.get(URL)

    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies


def test_the_cookie_follows_the_settings(browser: APIClient, settings: Settings) -> None:
    settings.CSRF_COOKIE_SECURE = True
    settings.CSRF_COOKIE_HTTPONLY = True

    cookie = browser.get(URL).cookies["csrftoken"]

    assert (cookie["secure"], cookie["httponly"]) == (True, True)


def test_the_token_is_masked_anew_each_time_and_stays_the_same_secret(
    browser: APIClient, person: User
) -> None:
    first, second = (browser.get(URL).json()["csrfToken"] for _ in range(2))

    answer = browser.post(
        LOGIN,
        {"email": person.email, "password": PASSWORD},
        headers={**FOREIGN, "X-CSRFToken": first},
    )

    assert first != second
    assert answer.status_code == 200


def test_the_token_with_its_cookie_is_proof(browser: APIClient, person: User) -> None:
    token = browser.get(URL).json()["csrfToken"]

    answer = browser.post(
        LOGIN,
        {"email": person.email, "password": PASSWORD},
        headers={**FOREIGN, "X-CSRFToken": token},
    )

    assert answer.status_code == 200


def test_the_token_without_its_cookie_is_none(browser: APIClient, person: User) -> None:
    token = browser.get(URL).json()["csrfToken"]
    browser.cookies.clear()

    answer = browser.post(
        LOGIN,
        {"email": person.email, "password": PASSWORD},
        headers={**FOREIGN, "X-CSRFToken": token},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert not UserSession.objects.exists()


def test_a_token_from_before_a_sign_in_is_good_no_longer(browser: APIClient, person: User) -> None:
    old = browser.get(URL).json()["csrfToken"]
    browser.post(LOGIN, {"email": person.email, "password": PASSWORD})
    new = browser.get(URL).json()["csrfToken"]

    answers = [
        browser.post(f"{API}/logout/", headers={**FOREIGN, "X-CSRFToken": token})
        for token in (old, new)
    ]

    assert [answer.status_code for answer in answers] == [403, 200]


def test_a_token_from_before_a_sign_out_is_good_no_longer(browser: APIClient, person: User) -> None:
    browser.post(LOGIN, {"email": person.email, "password": PASSWORD})
    old = browser.get(URL).json()["csrfToken"]
    browser.post(f"{API}/logout/")

    answer = browser.post(
        LOGIN,
        {"email": person.email, "password": PASSWORD},
        headers={**FOREIGN, "X-CSRFToken": old},
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def test_apps_are_not_given_new_csrf_tokens_when_they_sign_in(api: APIClient, person: User) -> None:
    answer = api.post(LOGIN, {"email": person.email, "password": PASSWORD})

    assert "csrftoken" not in answer.cookies


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "x" * 32, "x" * 64, "!" * 64, "\u00fc" * 32, "x" * 5000],
    ids=lambda it: ascii(it)[:24],
)
def test_a_cookie_that_is_no_secret_is_replaced(browser: APIClient, cookie: str) -> None:
    browser.cookies["csrftoken"] = cookie

    answer = browser.get(URL)

    token = answer.json()["csrfToken"]
    assert answer.status_code == 200
    assert len(token) == 64
    assert token.isalnum()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_read(api: APIClient, method: str) -> None:
    answer = api.generic(method, URL)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_not_in_the_way(browser: APIClient, header: str) -> None:
    answer = browser.get(URL, headers={"Authorization": header})

    assert answer.status_code == 200
