"""A browser's request that changes something needs a proof of its origin."""

import itertools

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import rows
from authentication.tests.clients import EVIL, LOGIN, WRONG_PASSWORD
from authentication.tests.conftest import API, CHROME, ME, bearer
from authentication.tests.factories import PASSWORD

from .origin import (
    CHANGES,
    CROSS_SITE,
    FRONT_END,
    origin_refusal_mismatch,
    prepare_changes,
    send_change,
    sign_in_from,
)

FOREIGN_HEADERS = [
    CROSS_SITE,
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
]
SIMILAR_ORIGINS = [
    "http://localhost:3001",
    "https://localhost:3000",
    "http://localhost",
    "http://localhost:3000.evil.example",
    "http://evil.example/http://localhost:3000",
    "http://localhost:3000@evil.example",
    "http://evil.example#http://localhost:3000",
    "http://localhost:3000/",
    "http://LOCALHOST:3000",
    " http://localhost:3000",
    "http://localhost:3000,http://evil.example",
    "http://xlocalhost:3000",
    "https://testserver",
    "http://testserver:8000",
    "http://testserver.evil.example",
    "http://sub.testserver",
    "localhost:3000",
    "*",
    "",
    "file://",
]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


def csrf_token(api: APIClient, kind: str | None) -> str | None:
    """Return a valid token, one of a cookie that is gone, or none."""
    if kind is None:
        return None
    token: str = api.get(f"{API}/csrf/").json()["csrfToken"]
    if kind == "stale":
        api.cookies.clear()
        api.get(f"{API}/csrf/")
    return token


class TestEveryChange:
    def test_a_foreign_page_changes_nothing(self, api: APIClient, person: User) -> None:
        values = prepare_changes(api, person)
        before, failures = rows(), {}

        for name, headers in itertools.product(CHANGES, FOREIGN_HEADERS):
            answer = send_change(api, name, values, headers)
            if wrong := origin_refusal_mismatch(answer):
                failures[name, str(headers)] = wrong

        assert failures == {}
        assert rows() == before

    def test_a_form_of_a_foreign_page_changes_nothing(self, api: APIClient, person: User) -> None:
        values = prepare_changes(api, person)
        before, failures = rows(), {}

        for name in CHANGES:
            answer = send_change(api, name, values, CROSS_SITE, form="multipart")
            if wrong := origin_refusal_mismatch(answer):
                failures[name] = wrong

        assert failures == {}
        assert rows() == before

    @pytest.mark.parametrize("name", CHANGES)
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": FRONT_END, "Sec-Fetch-Site": "same-site"},
        ],
        ids=["an app", "a page of the service", "a page of the front end"],
    )
    def test_an_app_or_a_page_of_a_trusted_origin_is_accepted(
        self, api: APIClient, person: User, name: str, headers: dict[str, str]
    ) -> None:
        answer = send_change(api, name, prepare_changes(api, person), headers)

        assert answer.status_code in {200, 201}, answer.content


class TestProofs:
    @pytest.mark.parametrize("csrf", [None, "valid", "stale"])
    @pytest.mark.parametrize("origin", [None, "http://testserver", FRONT_END, EVIL, "null"])
    def test_one_proof_is_enough(
        self, api: APIClient, person: User, origin: str | None, csrf: str | None
    ) -> None:
        failures = {}

        for site in (None, "same-origin", "none", "same-site", "cross-site", "SAME-ORIGIN"):
            given = {"Origin": origin, "Sec-Fetch-Site": site, "X-CSRFToken": csrf_token(api, csrf)}
            headers = {name: value for name, value in given.items() if value is not None}
            is_app = origin is None and site is None
            is_proven = (
                site in {"same-origin", "none"}
                or origin in {"http://testserver", FRONT_END}
                or csrf == "valid"
            )
            status = sign_in_from(api, person, headers).status_code
            if status != (200 if is_app or is_proven else 403):
                failures[str(headers)] = status

        assert failures == {}

    def test_an_origin_that_differs_in_any_part_is_refused(
        self, api: APIClient, person: User
    ) -> None:
        failures = {
            origin: wrong
            for origin in SIMILAR_ORIGINS
            if (wrong := origin_refusal_mismatch(sign_in_from(api, person, {"Origin": origin})))
        }

        assert failures == {}

    @pytest.mark.parametrize("name", ["CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"])
    def test_an_origin_in_either_setting_is_trusted(
        self, api: APIClient, person: User, settings: Settings, name: str
    ) -> None:
        settings.CSRF_TRUSTED_ORIGINS = settings.CORS_ALLOWED_ORIGINS = []
        refused = sign_in_from(api, person, {"Origin": FRONT_END})
        setattr(settings, name, [FRONT_END])

        accepted = sign_in_from(api, person, {"Origin": FRONT_END})

        assert (refused.status_code, accepted.status_code) == (403, 200)

    def test_the_services_own_origin_has_the_scheme_of_the_request(
        self, api: APIClient, person: User
    ) -> None:
        https = sign_in_from(api, person, {"Origin": "https://testserver"}, secure=True)
        http = sign_in_from(api, person, {"Origin": "http://testserver"}, secure=True)

        assert (https.status_code, http.status_code) == (200, 403)

    def test_a_malformed_csrf_token_proves_nothing(self, api: APIClient, person: User) -> None:
        api.get(f"{API}/csrf/")
        failures = {}

        for token in ("", "x", "x" * 32, "x" * 64, "!" * 64, "\u00fc" * 64, "x" * 5000):
            answer = sign_in_from(api, person, {"Origin": EVIL, "X-CSRFToken": token})
            if wrong := origin_refusal_mismatch(answer):
                failures[token] = wrong

        assert failures == {}

    def test_the_csrf_cookie_proves_nothing_without_the_header(
        self, api: APIClient, person: User
    ) -> None:
        api.get(f"{API}/csrf/")

        answer = sign_in_from(api, person, {"Origin": EVIL})

        assert origin_refusal_mismatch(answer) == {}

    def test_the_csrf_token_of_another_browser_proves_nothing(
        self, api: APIClient, person: User
    ) -> None:
        api.get(f"{API}/csrf/")
        other = APIClient().get(f"{API}/csrf/").json()["csrfToken"]

        answer = sign_in_from(api, person, {"Origin": EVIL, "X-CSRFToken": other})

        assert origin_refusal_mismatch(answer) == {}

    def test_a_csrf_token_in_the_form_proves_nothing(self, api: APIClient, person: User) -> None:
        token = api.get(f"{API}/csrf/").json()["csrfToken"]
        body = {"email": person.email, "password": PASSWORD, "csrfmiddlewaretoken": token}

        answer = api.post(LOGIN, body, format="multipart", headers={"Origin": EVIL})

        assert origin_refusal_mismatch(answer) == {}

    def test_an_access_token_proves_nothing(self, api: APIClient, person: User) -> None:
        access = sign_in_from(api, person, {}).json()["access"]
        api.cookies.clear()

        answer = api.post(f"{API}/logout/", headers={**bearer(access), "Origin": EVIL})

        assert origin_refusal_mismatch(answer) == {}
        assert api.get(ME, headers=bearer(access)).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Referer": f"{EVIL}/page"},
            {"User-Agent": CHROME},
            {"X-Requested-With": "XMLHttpRequest"},
            {"Cookie": "a=b"},
        ],
        ids=str,
    )
    def test_a_request_without_origin_and_fetch_metadata_is_an_apps(
        self, api: APIClient, person: User, headers: dict[str, str]
    ) -> None:
        assert sign_in_from(api, person, headers).status_code == 200

    def test_a_refused_sign_in_is_not_counted_as_a_failure(
        self, api: APIClient, person: User
    ) -> None:
        body = {"email": person.email, "password": WRONG_PASSWORD}
        for _ in range(10):
            api.post(LOGIN, body, headers={"Origin": EVIL})

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_refused_request_is_not_counted_by_the_rate_limit(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "1/h"}

        refused = sign_in_from(api, person, {"Origin": EVIL})
        accepted = sign_in_from(api, person, {})

        assert origin_refusal_mismatch(refused) == {}
        assert accepted.status_code == 200


class TestPaths:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_a_reading_request_needs_no_proof(self, api: APIClient, method: str) -> None:
        answer = api.generic(method, f"{API}/csrf/", headers=CROSS_SITE)

        assert answer.status_code == 200

    def test_an_endpoint_without_changes_needs_a_proof_for_a_post(self, api: APIClient) -> None:
        paths = ["/api/nowhere/", "/api/schema/", "/api/docs/", "/api/problems/not_found/"]

        failures = {
            path: wrong
            for path in paths
            if (wrong := origin_refusal_mismatch(api.post(path, {}, headers={"Origin": EVIL})))
        }

        assert failures == {}

    def test_another_spelling_of_a_path_changes_nothing(self, api: APIClient, person: User) -> None:
        spellings = ["/API/v1/auth/login/", "//api/v1/auth/login/", "/api/../api/v1/auth/login/"]
        body = {"email": person.email, "password": PASSWORD}
        before = rows()

        statuses = [
            api.post(path, body, headers={"Origin": EVIL}).status_code for path in spellings
        ]

        assert set(statuses) <= {403, 404}, statuses
        assert rows() == before
