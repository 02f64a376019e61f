"""Every error under /api/ is a problem (RFC 9457): unknown paths, methods and meanings."""

import itertools
import uuid

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import Problem
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, ME, bearer

from .problems import (
    PASSWORD_CHANGE,
    READERS,
    answering_crashes,
    mismatches,
)

UNKNOWN_PATHS = [
    "/api/",
    "/api/nowhere/",
    "/api/v1/",
    "/api/v2/auth/login/",
    f"{API}/login//",
    f"{API}/login/x",
    f"{API}/sessions/not-a-uuid/",
    "/api/%00",
    "/api/%ff%fe",
    "/api/%ed%a0%80",
    "/api/%0d%0aSet-Cookie:%20a=b",
    "/api/%E2%80%AE/",
    "/api/<script>",
    "/api/" + "x" * 5000,
]
NOTHING_HERE = "There is nothing here."
CODES = sorted({kind.code for kind in Problem.__subclasses__()} | {"server_error"})
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestPaths:
    def test_an_unknown_path_is_not_found(self, api: APIClient) -> None:
        failures = {
            (method, path): wrong
            for method, path in itertools.product(["GET", "POST"], UNKNOWN_PATHS)
            if (
                wrong := mismatches(
                    api.generic(method, path), 404, "not_found", detail=NOTHING_HERE
                )
            )
        }

        assert failures == {}

    def test_a_path_without_its_slash_is_not_redirected_and_names_the_right_one(
        self, api: APIClient
    ) -> None:
        detail = f"There is nothing here. Did you mean {API}/login/ with a slash at its end?"

        head = api.head(f"{API}/login")
        failures = {
            method: wrong
            for method in ("GET", "POST", "PATCH", "DELETE", "OPTIONS")
            if (
                wrong := mismatches(
                    api.generic(method, f"{API}/login"), 404, "not_found", detail=detail
                )
            )
        }

        assert head.status_code == 404
        assert failures == {}

    def test_an_unknown_problem_is_not_found(self, api: APIClient) -> None:
        answer = api.get("/api/problems/unknown/")

        assert mismatches(answer, 404, "not_found") == {}

    def test_an_unknown_path_is_a_problem_in_debug_mode(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DEBUG = True

        answer = api.post("/api")

        assert mismatches(answer, 404, "not_found") == {}

    def test_an_unknown_path_with_its_slash_is_not_suggested(self, api: APIClient) -> None:
        failures = {
            path: wrong
            for path in ("/api/nowhere", "/api/v1", "/api/docs/x")
            if (wrong := mismatches(api.get(path), 404, "not_found", detail=NOTHING_HERE))
        }

        assert failures == {}

    def test_an_unknown_path_outside_the_api_is_a_page(self, api: APIClient) -> None:
        answer = api.get("/nowhere/")

        assert answer.status_code == 404
        assert answer["Content-Type"] == "text/html; charset=utf-8"

    def test_a_malformed_query_is_ignored(self, api: APIClient) -> None:
        malformed = ["x=%00", "x=%ff%fe", "x=%ed%a0%80", "&" * 5000, "x=" + "y" * 9000, "%"]

        statuses = {
            query: answering_crashes(api).get(f"{API}/csrf/?{query}").status_code
            for query in malformed
        }

        assert statuses == dict.fromkeys(malformed, 200)


class TestMethods:
    def test_a_method_that_is_not_allowed_is_answered_with_the_allowed_ones(
        self, api: APIClient
    ) -> None:
        allowed = {
            url: "POST, OPTIONS"
            for method, url, _ in READERS
            if method == "POST" and url != PASSWORD_CHANGE
        }
        allowed |= {f"{API}/csrf/": "GET, HEAD, OPTIONS", f"{API}/health/": "GET, HEAD, OPTIONS"}
        failures = {}

        for url, method in itertools.product(allowed, ["PUT", "TRACE", "FOO"]):
            answer = api.generic(method, url)
            wrong = mismatches(answer, 405, "method_not_allowed")
            if wrong or answer["Allow"] != allowed[url]:
                failures[method, url] = wrong or answer["Allow"]

        assert failures == {}

    def test_a_signed_in_client_gets_the_allowed_methods_too(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        allowed = {
            ME: "GET, PATCH, HEAD, OPTIONS",
            PASSWORD_CHANGE: "POST, OPTIONS",
            f"{API}/sessions/": "GET, HEAD, OPTIONS",
            f"{API}/sessions/terminate-all/": "POST, OPTIONS",
            f"{API}/sessions/{uuid.UUID(int=1)}/": "GET, PATCH, DELETE, HEAD, OPTIONS",
        }
        failures = {}

        for url, methods in allowed.items():
            answer = api.put(url, {}, headers=bearer(signed_in["access"]))
            wrong = mismatches(answer, 405, "method_not_allowed")
            if wrong or answer["Allow"] != methods:
                failures[url] = wrong or answer["Allow"]

        assert failures == {}


class TestMeanings:
    def test_each_type_leads_to_its_meaning(self, api: APIClient) -> None:
        failures = {}

        for code in CODES:
            answer = api.get(f"/api/problems/{code}/")
            body = answer.json()
            members = {frozenset(meaning) for meaning in body["meanings"]}
            shown = (answer.status_code, body.keys(), body["code"], members)
            if shown != (
                200,
                {"code", "meanings"},
                code,
                {frozenset({"status", "title", "detail"})},
            ):
                failures[code] = body

        assert failures == {}

    def test_the_codes_are_those_of_the_contract(self) -> None:
        codes = {(kind.status, kind.code) for kind in Problem.__subclasses__()}

        assert codes >= {
            (400, "validation_error"),
            (401, "invalid_credentials"),
            (403, "account_locked"),
            (403, "email_not_verified"),
            (403, "account_disabled"),
            (401, "token_invalid"),
            (403, "csrf_failed"),
            (400, "token_invalid"),
            (429, "rate_limited"),
            (503, "service_unavailable"),
        }
