"""The headers every answer bears: security, caching, cross-origin reading, and the request's name and time."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD

OURS = "http://localhost:3000"
LOGIN = f"{API}/login/"
CSP = "Content-Security-Policy"
CLOSED = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
FOREIGN = [
    "https://evil.example",
    "null",
    "",
    "http://localhost:3000.evil.example",
    "http://evil.example:3000",
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost:3000@evil.example",
    "http://xlocalhost:3000",
    "http://localhost:30000",
    "file://",
    "http://[",
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def policy_of(answer: Any) -> dict[str, str]:
    """Return an answer's content security policy, by directive."""
    found = (directive.strip().partition(" ") for directive in answer[CSP].split(";"))
    return {name: sources for name, _, sources in found}


def shared_with(answer: Any) -> dict[str, str]:
    """Return the headers that let a page of another origin read an answer."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


class TestSecurity:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"{API}/csrf/", 200),
            (f"{API}/health/", 200),
            (LOGIN, 405),
            (ME, 401),
            ("/api/nowhere/", 404),
            ("/api/schema/", 200),
            ("/api/docs/", 200),
            ("/api/redoc/", 200),
            ("/account/verify-email/", 200),
            ("/account/reset-password/", 200),
            ("/account/nowhere/", 404),
            ("/admin/login/", 200),
            ("/admin/", 302),
            ("/", 200),
            ("/nowhere/", 404),
        ],
    )
    def test_every_answer_bears_them(self, client: Client, path: str, status: int) -> None:
        answer = client.get(path)

        assert answer.status_code == status
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == (
            "no-referrer" if path.startswith("/api/") else "same-origin"
        )
        assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert (
            answer["Permissions-Policy"]
            == "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        assert {
            name: policy_of(answer)[name] for name in ("default-src", "base-uri", "frame-ancestors")
        } == {
            "default-src": "'none'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers

    def test_a_crash_bears_them_too(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)
        client.raise_request_exception = False

        answer = client.get(f"{API}/csrf/")

        assert answer.status_code == 500
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert policy_of(answer) == CLOSED

    def test_a_refusal_of_the_origin_bears_them_too(self, api: APIClient) -> None:
        answer = api.post(LOGIN, {}, headers={"Origin": "https://evil.example"})

        assert answer.status_code == 403
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert policy_of(answer) == CLOSED

    def test_behind_https_browsers_are_kept_to_it(self, settings: Settings) -> None:
        settings.SECURE_HSTS_SECONDS = 31_536_000
        settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True

        answer = Client().get(f"{API}/csrf/", secure=True)

        assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


class TestContentSecurityPolicy:
    @pytest.mark.parametrize(
        "path", [f"{API}/csrf/", ME, "/api/nowhere/", "/api/schema/", "/api/problems/not_found/"]
    )
    def test_the_apis_lets_nothing_run(self, client: Client, path: str) -> None:
        assert policy_of(client.get(path)) == CLOSED

    @pytest.mark.parametrize(
        "path", ["/account/verify-email/", "/account/reset-password/", "/", "/nowhere/"]
    )
    def test_the_pages_lets_in_their_own_style_and_form(self, client: Client, path: str) -> None:
        expected = {**CLOSED, "style-src": "'self'", "img-src": "'self'", "form-action": "'self'"}

        assert policy_of(client.get(path)) == expected

    def test_the_admins_lets_in_its_own_files(self, client: Client) -> None:
        own = dict.fromkeys(
            ("script-src", "style-src", "img-src", "font-src", "connect-src"), "'self'"
        )

        assert policy_of(client.get("/admin/login/")) == {**CLOSED, **own, "form-action": "'self'"}

    @pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
    def test_the_documentations_runs_no_foreign_and_no_inline_script(
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
    @pytest.mark.parametrize(
        "path",
        [f"{API}/csrf/", f"{API}/health/", "/api/nowhere/", ME, "/account/verify-email/?token=x"],
    )
    def test_nothing_of_anybody_is_kept(self, client: Client, path: str) -> None:
        assert client.get(path)["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("path", [ME, f"{API}/sessions/"])
    def test_what_a_person_sees_is_not_kept(
        self, api: APIClient, signed_in: Tokens, path: str
    ) -> None:
        answer = api.get(path, headers=bearer(signed_in["access"]))

        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"

    def test_tokens_are_not_kept(self, api: APIClient, person: User) -> None:
        login = api.post(LOGIN, {"email": person.email, "password": PASSWORD})
        refresh = api.post(f"{API}/token/refresh/", {"refresh": login.json()["refresh"]})

        assert login["Cache-Control"] == refresh["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("asked", "status"), [({}, 400), ({"email": "x", "password": "y"}, 401)]
    )
    def test_errors_are_not_kept(self, api: APIClient, asked: dict[str, str], status: int) -> None:
        answer = api.post(LOGIN, asked)

        assert answer.status_code == status
        assert answer["Cache-Control"] == "no-store"


class TestCrossOrigin:
    @pytest.mark.parametrize(
        ("path", "status"), [(f"{API}/csrf/", 200), (ME, 401), (LOGIN, 405), ("/api/nowhere/", 404)]
    )
    def test_a_page_of_ours_reads_answers_and_errors(
        self, api: APIClient, path: str, status: int
    ) -> None:
        answer = api.get(path, headers={"Origin": OURS})

        shared = shared_with(answer)
        assert answer.status_code == status
        assert shared.pop("access-control-expose-headers").split(", ") == [
            "Content-Disposition",
            "Retry-After",
            "X-Correlation-ID",
            "RateLimit",
            "RateLimit-Policy",
        ]
        assert shared == {
            "access-control-allow-origin": OURS,
            "access-control-allow-credentials": "true",
        }
        assert "origin" in answer["Vary"].lower()

    def test_a_page_of_ours_reads_a_crash(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)

        answer = api.get(f"{API}/csrf/", headers={"Origin": OURS})

        assert answer.status_code == 500
        assert answer["Access-Control-Allow-Origin"] == OURS

    def test_a_page_of_ours_reads_when_to_come_back(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "csrf": "1/h"}
        api.get(f"{API}/csrf/")

        answer = api.get(f"{API}/csrf/", headers={"Origin": OURS})

        assert answer.status_code == 429
        assert answer["Access-Control-Allow-Origin"] == OURS
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(answer.headers)

    @pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
    def test_a_page_of_ours_may_ask_first(self, api: APIClient, method: str) -> None:
        asked = {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,x-csrftoken",
        }

        answer = api.options(LOGIN, headers={"Origin": OURS, **asked})

        assert answer.status_code == 200
        assert answer["Access-Control-Allow-Origin"] == OURS
        assert answer["Access-Control-Allow-Credentials"] == "true"
        assert method in answer["Access-Control-Allow-Methods"].split(", ")
        assert set(answer["Access-Control-Allow-Headers"].split(", ")) == {
            "accept",
            "authorization",
            "content-type",
            "x-csrftoken",
            "x-correlation-id",
            "x-requested-with",
        }

    @pytest.mark.parametrize("origin", FOREIGN)
    def test_no_foreign_page_reads_anything(self, api: APIClient, origin: str) -> None:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

        answers = [
            api.get(f"{API}/csrf/", headers={"Origin": origin}),
            api.get(ME, headers={"Origin": origin}),
            api.get("/api/nowhere/", headers={"Origin": origin}),
            api.post(LOGIN, {}, headers={"Origin": origin}),
            api.options(LOGIN, headers=asked),
        ]

        assert [shared_with(answer) for answer in answers] == [{}] * 5
        assert all("origin" in answer["Vary"].lower() for answer in answers)

    @pytest.mark.parametrize("path", ["/admin/login/", "/account/verify-email/", "/"])
    def test_outside_the_api_no_other_origin_reads_anything(
        self, client: Client, path: str
    ) -> None:
        answer = client.get(path, headers={"Origin": OURS})

        assert shared_with(answer) == {}


class TestCorrelation:
    @pytest.mark.parametrize(
        "name", ["a", "0", "order-66_v1.2", "x" * 64, "4f9d1c0a7be24e0c9d3f6a1b2c3d4e5f"]
    )
    def test_a_plain_short_name_is_taken(self, api: APIClient, name: str) -> None:
        answer = api.get(ME, headers={"X-Correlation-ID": name})

        assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "x" * 65,
            "a b",
            "a\tb",
            "a/b",
            "a;b",
            "<b>",
            "a\x00b",
            "\u00fc",
            "a\n",
            "{}",
            "${jndi:ldap://x}",
            "' OR 1=1",
        ],
        ids=ascii,
    )
    def test_any_other_is_replaced(self, api: APIClient, name: str) -> None:
        answer = api.get(ME, headers={"X-Correlation-ID": name})

        assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Correlation-ID"])
        assert answer.json()["correlation_id"] == answer["X-Correlation-ID"]

    def test_every_request_has_its_own(self, api: APIClient) -> None:
        names = {api.get(f"{API}/csrf/")["X-Correlation-ID"] for _ in range(5)}

        assert len(names) == 5

    def test_what_happened_is_found_by_it(self, api: APIClient, person: User) -> None:
        api.post(
            LOGIN,
            {"email": person.email, "password": PASSWORD},
            headers={"X-Correlation-ID": "ticket-7"},
        )

        assert AuditLog.objects.get(event_type="login").correlation_id == "ticket-7"

    @pytest.mark.parametrize("path", ["/", "/admin/login/", "/nowhere/", "/account/verify-email/"])
    def test_pages_bear_it_too(self, client: Client, path: str) -> None:
        assert (
            client.get(path, headers={"X-Correlation-ID": "ticket-7"})["X-Correlation-ID"]
            == "ticket-7"
        )

    def test_a_request_for_a_wrong_host_bears_it_too(self, client: Client) -> None:
        answer = client.get(ME, headers={"Host": "evil.example", "X-Correlation-ID": "ticket-7"})

        assert answer["X-Correlation-ID"] == answer.json()["correlation_id"] == "ticket-7"


class TestTiming:
    @pytest.mark.parametrize("path", [f"{API}/csrf/", ME, "/api/nowhere/", "/", "/admin/login/"])
    def test_every_answer_says_how_long_it_took(self, client: Client, path: str) -> None:
        assert re.fullmatch(r"\d+\.\d{3}s", client.get(path)["X-Response-Time"])

    def test_a_crash_says_so_too(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)

        assert re.fullmatch(r"\d+\.\d{3}s", client.get(f"{API}/csrf/")["X-Response-Time"])
