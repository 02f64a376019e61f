"""Headers of every answer: security and caching."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import unexpected
from authentication.tests.clients import EVIL, LOGIN, REFRESH, Tokens, get_as, log_in
from authentication.tests.conftest import API, ME

CSP = "Content-Security-Policy"
CSRF = f"{API}/csrf/"
CLOSED = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""The policy of an answer that loads nothing."""

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def policy_of(answer: Any) -> dict[str, str]:
    """Return the content security policy of an answer, by directive."""
    found = (directive.strip().partition(" ") for directive in answer[CSP].split(";"))
    return {name: sources for name, _, sources in found}


class TestSecurity:
    def test_every_answer_has_the_security_headers(self, client: Client) -> None:
        statuses = {
            CSRF: 200,
            f"{API}/health/": 200,
            LOGIN: 405,
            ME: 401,
            "/api/nowhere/": 404,
            "/api/schema/": 200,
            "/api/docs/": 200,
            "/api/redoc/": 200,
            "/account/verify-email/": 200,
            "/account/reset-password/": 200,
            "/account/nowhere/": 404,
            "/admin/login/": 200,
            "/admin/": 302,
            "/": 200,
            "/nowhere/": 404,
        }
        expected = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "default-src": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
            "Server": None,
            "X-Powered-By": None,
        }

        answers = {path: client.get(path) for path in statuses}

        assert {path: it.status_code for path, it in answers.items()} == statuses
        for path, answer in answers.items():
            found = {**answer.headers, **policy_of(answer)}
            referrer = "no-referrer" if path.startswith("/api/") else "same-origin"
            assert {name: found.get(name) for name in expected} == expected, path
            assert answer["Referrer-Policy"] == referrer, path

    @pytest.mark.parametrize(
        "path", [CSRF, "/api/docs/", "/account/reset-password/", "/admin/login/", "/nowhere/"]
    )
    def test_an_answer_to_a_navigation_asks_for_the_hints_that_name_a_device(
        self, client: Client, path: str
    ) -> None:
        opened = client.get(path, headers={"Sec-Fetch-Mode": "navigate"})
        fetched = client.get(path, headers={"Sec-Fetch-Mode": "cors"})

        assert opened["Accept-CH"] == "Sec-CH-UA-Platform-Version, Sec-CH-UA-Model"
        assert "Accept-CH" not in fetched

    def test_a_crash_has_the_security_headers(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)
        client.raise_request_exception = False

        answer = client.get(CSRF)

        assert answer.status_code == 500
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert policy_of(answer) == CLOSED

    def test_a_refusal_of_the_origin_has_the_security_headers(self, api: APIClient) -> None:
        answer = api.post(LOGIN, {}, headers={"Origin": EVIL})

        assert answer.status_code == 403
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert policy_of(answer) == CLOSED

    def test_an_answer_over_https_keeps_browsers_on_https(self, settings: Settings) -> None:
        settings.SECURE_HSTS_SECONDS = 31_536_000
        settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

        answer = Client().get(CSRF, secure=True)

        assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


class TestContentSecurityPolicy:
    def test_the_policy_of_the_api_allows_nothing(self, client: Client) -> None:
        paths = [CSRF, ME, "/api/nowhere/", "/api/schema/", "/api/problems/not_found/"]

        assert unexpected(paths, lambda path: policy_of(client.get(path)), CLOSED) == {}

    def test_the_policy_of_the_pages_allows_their_own_style_and_form(self, client: Client) -> None:
        paths = ["/account/verify-email/", "/account/reset-password/", "/", "/nowhere/"]
        expected = {**CLOSED, "style-src": "'self'", "img-src": "'self'", "form-action": "'self'"}

        assert unexpected(paths, lambda path: policy_of(client.get(path)), expected) == {}

    def test_the_policy_of_the_admin_allows_its_own_files(self, client: Client) -> None:
        own = dict.fromkeys(
            ("script-src", "style-src", "img-src", "font-src", "connect-src"), "'self'"
        )

        assert policy_of(client.get("/admin/login/")) == {**CLOSED, **own, "form-action": "'self'"}

    @pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
    def test_the_policy_of_the_documentation_allows_no_foreign_and_no_inline_script(
        self, client: Client, path: str
    ) -> None:
        answer = client.get(path)

        policy = policy_of(answer)
        assert policy["script-src"] == "'self'"
        assert policy["form-action"] == "'none'"
        assert "//" not in answer[CSP].replace("blob:", "").replace("data:", "")
        assert not re.search(r"<script(?![^>]*\bsrc=)", answer.content.decode())
        assert not re.search(r"src=[\"']?(https?:)?//", answer.content.decode())


class TestCaching:
    def test_answers_to_anonymous_requests_are_not_cached(self, client: Client) -> None:
        paths = [CSRF, f"{API}/health/", "/api/nowhere/", ME, "/account/verify-email/?token=x"]

        assert unexpected(paths, lambda path: client.get(path)["Cache-Control"], "no-store") == {}

    @pytest.mark.parametrize("path", [ME, f"{API}/sessions/"])
    def test_answers_to_a_signed_in_user_are_not_cached(
        self, api: APIClient, signed_in: Tokens, path: str
    ) -> None:
        answer = get_as(api, signed_in, path)

        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"

    def test_answers_with_tokens_are_not_cached(self, api: APIClient, person: User) -> None:
        login = log_in(api, person)
        refresh = api.post(REFRESH, {"refresh": login.json()["refresh"]})

        assert (login.status_code, refresh.status_code) == (200, 200)
        assert login["Cache-Control"] == refresh["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("body", "status"), [({}, 400), ({"email": "x", "password": "y"}, 401)]
    )
    def test_errors_are_not_cached(self, api: APIClient, body: dict[str, str], status: int) -> None:
        answer = api.post(LOGIN, body)

        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store"
