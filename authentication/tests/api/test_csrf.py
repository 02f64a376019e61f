"""GET /api/v1/auth/csrf/."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.answers import assert_problem, unexpected
from authentication.tests.clients import FOREIGN_PAGE, LOGIN, log_in
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD

URL = f"{API}/csrf/"
LOGOUT = f"{API}/logout/"

pytestmark = pytest.mark.django_db


def csrf_token(browser: APIClient) -> str:
    return str(browser.get(URL).json()["csrfToken"])


def log_in_from_a_foreign_page(browser: APIClient, user: User, token: str) -> Any:
    """Return the answer to a sign-in that only the CSRF token can prove."""
    return browser.post(
        LOGIN,
        {"email": user.email, "password": PASSWORD},
        headers={**FOREIGN_PAGE, "X-CSRFToken": token},
    )


def test_a_browser_gets_a_token_and_its_cookie(browser: APIClient) -> None:
    answer = browser.get(URL)

    cookie = answer.cookies["csrftoken"]
    assert answer.status_code == 200
    assert answer.json().keys() == {"csrfToken"}
    assert len(answer.json()["csrfToken"]) == 64
    assert (cookie["path"], cookie["samesite"], cookie["domain"]) == ("/", "Lax", "")
    assert answer["Cache-Control"] == "no-store"
    assert "Cookie" in answer["Vary"]


def test_an_app_gets_a_token_too(api: APIClient) -> None:
    answer = api.get(URL)

    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies


def test_the_cookie_has_the_attributes_of_the_settings(
    browser: APIClient, settings: Settings
) -> None:
    settings.CSRF_COOKIE_SECURE = True
    settings.CSRF_COOKIE_HTTPONLY = True

    cookie = browser.get(URL).cookies["csrftoken"]

    assert (cookie["secure"], cookie["httponly"]) == (True, True)


def test_every_answer_masks_the_same_secret_in_a_new_way(browser: APIClient, person: User) -> None:
    first, second = csrf_token(browser), csrf_token(browser)

    answer = log_in_from_a_foreign_page(browser, person, first)

    assert first != second
    assert answer.status_code == 200


def test_a_token_with_its_cookie_proves_a_request(browser: APIClient, person: User) -> None:
    answer = log_in_from_a_foreign_page(browser, person, csrf_token(browser))

    assert answer.status_code == 200


def test_a_token_without_its_cookie_proves_nothing(browser: APIClient, person: User) -> None:
    token = csrf_token(browser)
    browser.cookies.clear()

    answer = log_in_from_a_foreign_page(browser, person, token)

    assert_problem(answer, 403, "csrf_failed")
    assert not UserSession.objects.exists()


def test_a_token_from_before_a_sign_in_is_void(browser: APIClient, person: User) -> None:
    old = csrf_token(browser)
    log_in(browser, person)
    new = csrf_token(browser)

    answers = [
        browser.post(LOGOUT, headers={**FOREIGN_PAGE, "X-CSRFToken": token}) for token in (old, new)
    ]

    assert [answer.status_code for answer in answers] == [403, 200]


def test_a_token_from_before_a_sign_out_is_void(browser: APIClient, person: User) -> None:
    log_in(browser, person)
    old = csrf_token(browser)
    browser.post(LOGOUT)

    answer = log_in_from_a_foreign_page(browser, person, old)

    assert_problem(answer, 403, "csrf_failed")


def test_a_sign_in_of_an_app_sets_no_csrf_cookie(api: APIClient, person: User) -> None:
    answer = log_in(api, person)

    assert answer.status_code == 200
    assert "csrftoken" not in answer.cookies


def test_a_malformed_cookie_gets_a_valid_token_all_the_same(browser: APIClient) -> None:
    def outcome(cookie: str) -> tuple[int, int, bool]:
        browser.cookies["csrftoken"] = cookie
        answer = browser.get(URL)
        token = answer.json()["csrfToken"]
        return answer.status_code, len(token), token.isalnum()

    cookies = ["", "x", "x" * 32, "x" * 64, "!" * 64, "\u00fc" * 32, "x" * 5000]
    assert unexpected(cookies, outcome, (200, 64, True)) == {}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_writes_is_refused(api: APIClient, method: str) -> None:
    answer = api.generic(method, URL)

    assert_problem(answer, 405, "method_not_allowed")
    assert answer["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_ignored(browser: APIClient, header: str) -> None:
    answer = browser.get(URL, headers={"Authorization": header})

    assert answer.status_code == 200
    assert answer.json().keys() == {"csrfToken"}
