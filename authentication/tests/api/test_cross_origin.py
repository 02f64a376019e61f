"""Which pages of other origins may read answers (CORS)."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.tests.answers import unexpected
from authentication.tests.clients import EVIL, LOGIN
from authentication.tests.conftest import API, ME
from authentication.tests.limits import set_limits

FRONT_END = "http://localhost:3000"
"""The only allowed origin of the test settings."""
CSRF = f"{API}/csrf/"
FOREIGN = [
    EVIL,
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


def cors_headers(answer: Any) -> dict[str, str]:
    """Return the headers that let a page of another origin read an answer."""
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower().startswith("access-control-")
    }


class TestFrontEnd:
    @pytest.mark.parametrize(
        ("path", "status"), [(CSRF, 200), (ME, 401), (LOGIN, 405), ("/api/nowhere/", 404)]
    )
    def test_the_front_end_reads_answers_and_errors(
        self, api: APIClient, path: str, status: int
    ) -> None:
        answer = api.get(path, headers={"Origin": FRONT_END})

        headers = cors_headers(answer)
        assert answer.status_code == status
        assert headers.pop("access-control-expose-headers").split(", ") == [
            "Content-Disposition",
            "Retry-After",
            "X-Correlation-ID",
            "RateLimit",
            "RateLimit-Policy",
            "X-Response-Time",
        ]
        assert headers == {
            "access-control-allow-origin": FRONT_END,
            "access-control-allow-credentials": "true",
        }
        assert "origin" in answer["Vary"].lower()

    def test_the_front_end_reads_a_crash(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("authentication.view_modules.csrf.get_token", crash)

        answer = api.get(CSRF, headers={"Origin": FRONT_END})

        assert answer.status_code == 500
        assert answer["Access-Control-Allow-Origin"] == FRONT_END

    def test_the_front_end_reads_when_to_retry(self, api: APIClient, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = True
        set_limits(settings, csrf="1/h")
        api.get(CSRF)

        answer = api.get(CSRF, headers={"Origin": FRONT_END})

        assert answer.status_code == 429
        assert answer["Access-Control-Allow-Origin"] == FRONT_END
        assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(answer.headers)

    @pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
    def test_a_preflight_of_the_front_end_is_allowed(self, api: APIClient, method: str) -> None:
        preflight = {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,x-csrftoken",
        }

        answer = api.options(LOGIN, headers={"Origin": FRONT_END, **preflight})

        assert answer.status_code == 200
        assert answer["Access-Control-Allow-Origin"] == FRONT_END
        assert answer["Access-Control-Allow-Credentials"] == "true"
        assert method in answer["Access-Control-Allow-Methods"].split(", ")
        assert set(answer["Access-Control-Allow-Headers"].split(", ")) == {
            "accept",
            "authorization",
            "content-type",
            "x-csrftoken",
            "x-correlation-id",
            "x-device-id",
            "x-requested-with",
            "sentry-trace",
            "baggage",
            "traceparent",
            "cache-control",
            "sec-ch-ua-platform",
            "sec-ch-ua-platform-version",
            "sec-ch-ua-model",
            "sec-ch-ua-mobile",
        }

    @pytest.mark.parametrize("origin", ["capacitor://localhost", "chrome-extension://abcdefgh"])
    def test_a_page_inside_an_app_reads_answers(
        self, api: APIClient, settings: Settings, origin: str
    ) -> None:
        settings.CORS_ALLOWED_ORIGINS = [origin]
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}

        answers = [api.options(LOGIN, headers=preflight), api.get(CSRF, headers={"Origin": origin})]
        other = api.get(CSRF, headers={"Origin": f"{origin}x"})

        assert [it["Access-Control-Allow-Origin"] for it in answers] == [origin, origin]
        assert cors_headers(other) == {}

    @pytest.mark.parametrize("path", ["/admin/login/", "/account/verify-email/", "/"])
    def test_the_front_end_reads_nothing_outside_the_api(self, client: Client, path: str) -> None:
        answer = client.get(path, headers={"Origin": FRONT_END})

        assert answer.status_code == 200
        assert cors_headers(answer) == {}


def test_a_page_of_any_other_origin_reads_nothing(api: APIClient) -> None:
    def outcome(origin: str) -> tuple[list[dict[str, str]], bool]:
        headers = {"Origin": origin}
        answers = [
            api.get(CSRF, headers=headers),
            api.get(ME, headers=headers),
            api.get("/api/nowhere/", headers=headers),
            api.post(LOGIN, {}, headers=headers),
            api.options(LOGIN, headers={**headers, "Access-Control-Request-Method": "POST"}),
        ]
        varies = all("origin" in answer["Vary"].lower() for answer in answers)
        return [cors_headers(answer) for answer in answers], varies

    assert unexpected(FOREIGN, outcome, ([{}] * 5, True)) == {}
