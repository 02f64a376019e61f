"""Fields of a wrong type, control characters and malformed headers are refused or ignored."""

import itertools
import json

import pytest
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import LOGIN, NEW_PASSWORD, Tokens
from authentication.tests.conftest import API, ME
from authentication.tests.factories import PASSWORD

from .problems import (
    PASSWORD_CHANGE,
    access_headers,
    credentials,
    mismatches,
    send,
    stored_without_sessions,
)

RESET_CONFIRM = f"{API}/password/reset/confirm/"
TEXTS = [
    (f"{API}/token/refresh/", "refresh"),
    (f"{API}/token/verify/", "token"),
    (f"{API}/exchange-token/", "exchange_token"),
    *((PASSWORD_CHANGE, name) for name in ("old_password", "new_password", "new_password_confirm")),
    *((RESET_CONFIRM, name) for name in ("token", "new_password", "new_password_confirm")),
    (f"{API}/password/reset/", "email"),
    (f"{API}/email/resend/", "email"),
    (f"{API}/email/verify/", "token"),
]
WRONG_TYPES = [1, 1.5, True, [], ["text"], {}, {"text": "text"}]
FORBIDDEN = ["\x00", "\x1b", "\x7f", "\u0085", "\u202e", "\u2028", "\ud800"]
IGNORED_HEADERS = [
    "User-Agent",
    "Accept",
    "X-Correlation-ID",
    "X-Forwarded-For",
    "Referer",
    "X-CSRFToken",
    "Cookie",
    "Expect",
]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


def other_fields(url: str) -> dict[str, str]:
    """Return the fields that the endpoint needs beside the one under test."""
    passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD, "token": "x"}
    return passwords if url in {PASSWORD_CHANGE, RESET_CONFIRM} else {}


class TestFields:
    def test_a_text_field_takes_a_string_only(
        self, lenient_api: APIClient, signed_in: Tokens
    ) -> None:
        before = stored_without_sessions()
        failures = {}

        for (url, field), value in itertools.product(TEXTS, WRONG_TYPES):
            answer = lenient_api.post(
                url,
                {**other_fields(url), field: value},
                headers=access_headers(url, signed_in["access"]),
            )
            wrong = mismatches(answer, 400, "validation_error", fields={field})
            if wrong or not all(isinstance(it, str) for it in answer.json()["errors"][field]):
                failures[url, field, str(value)] = wrong or answer.json()

        assert failures == {}
        assert stored_without_sessions() == before

    def test_a_text_field_refuses_control_characters_and_surrogates(
        self, lenient_api: APIClient, signed_in: Tokens
    ) -> None:
        before = stored_without_sessions()
        failures = {}

        for (url, field), character in itertools.product(TEXTS, FORBIDDEN):
            body = json.dumps({**other_fields(url), field: f"a{character}b@example.org"})
            headers = access_headers(url, signed_in["access"])
            answer = send(lenient_api, body.encode(), url=url, headers=headers)
            if wrong := mismatches(answer, 400, "validation_error", fields={field}):
                failures[url, field, character] = wrong

        assert failures == {}
        assert stored_without_sessions() == before


class TestHeaders:
    def test_malformed_values_are_ignored(self, lenient_api: APIClient, person: User) -> None:
        values = ["\x00", "\x7f", "\x1b[31m", "\u00fc", "\xff\xfe", "x" * 9000]
        failures = {}

        for name, value in itertools.product(IGNORED_HEADERS, values):
            answer = lenient_api.post(LOGIN, credentials(person.email), headers={name: value})
            if answer.status_code != 200:
                failures[name, value[:9]] = answer.content

        assert failures == {}

    def test_a_malformed_origin_is_foreign(self, lenient_api: APIClient, person: User) -> None:
        origins = ["\x00", "\u00fc", "http://[", "http://[::1", "null", "://", "x" * 9000]
        failures = {}

        for origin in origins:
            answer = lenient_api.post(LOGIN, credentials(person.email), headers={"Origin": origin})
            wrong = mismatches(answer, 403, "csrf_failed")
            if wrong or "Access-Control-Allow-Origin" in answer.headers:
                failures[origin[:9]] = wrong or dict(answer.headers)

        assert failures == {}

    def test_a_malformed_token_is_refused(self, lenient_api: APIClient) -> None:
        tokens = ["\x00", "\u00fc", "a.b.c", "." * 100, "x" * 9000, "e30.e30.", "bnVsbA.bnVsbA.x"]
        failures = {}

        for token in tokens:
            by_header = lenient_api.get(ME, headers={"Authorization": f"Bearer {token}"})
            lenient_api.cookies["refresh_token"] = token
            by_cookie = lenient_api.post(f"{API}/token/refresh/")
            lenient_api.cookies.clear()
            for carrier, answer in (("header", by_header), ("cookie", by_cookie)):
                wrong = mismatches(answer, 401, "token_invalid")
                if wrong or answer["WWW-Authenticate"] != "Bearer":
                    failures[carrier, token[:9]] = wrong or dict(answer.headers)

        assert failures == {}

    def test_every_accept_header_gets_json(self, api: APIClient) -> None:
        accepted = ["text/html", "application/xml", "image/*", "nothing", "*/*;q=0"]

        failures = {
            accept: wrong
            for accept in accepted
            if (
                wrong := mismatches(
                    api.post(LOGIN, {}, headers={"Accept": accept}), 400, "validation_error"
                )
            )
        }

        assert failures == {}

    def test_a_wrong_host_is_a_malformed_request(self, lenient_api: APIClient) -> None:
        hosts = ["evil.example", "testserver.evil.example", "testserver:x", "", "\x00", "a b"]
        paths = [f"{API}/csrf/", LOGIN, "/api/nowhere/"]
        detail = "We could not read this request."
        failures = {}

        for path, host in itertools.product(paths, [*hosts, "[::1"]):
            answer = lenient_api.get(path, headers={"Host": host})
            wrong = mismatches(answer, 400, "validation_error", detail=detail)
            if wrong or "evil" in answer.content.decode():
                failures[path, host] = wrong or answer.content

        assert failures == {}
