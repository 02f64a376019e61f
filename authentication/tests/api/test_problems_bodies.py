"""Bodies that cannot be read are refused: syntax, depth and size."""

import io
import itertools
import json

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User, UserSession
from authentication.tests.clients import LOGIN, Tokens

from .problems import (
    FORM,
    READERS,
    access_headers,
    credentials,
    mismatches,
    send,
    stored_without_sessions,
)

NOT_JSON = [
    b"{",
    b"}",
    b'{"email": }',
    b'{"email": "a",}',
    b"{'email': 'a'}",
    b'{"email": "a"} x',
    b'{"email": "\x00"}',
    b'{"email": "\n"}',
    b'{"email": "\\x00"}',
    b'{"email": "\\ud8"}',
    b"email=a",
    b"\x80\x81",
    b"\xef\xbb\xbf\xef\xbb\xbf{}",
    b'{"email": "\xff"}',
    b'{"email": "\xed\xa0\x80"}',
    '{"email": "\u00fc"}'.encode("latin-1"),
    '{"email": "a"}'.encode("utf-16"),
    b"NaN",
    b'{"email": NaN}',
    b'{"email": Infinity}',
    b'{"email": -Infinity}',
    b'{"email": ' + b"1" * 5000 + b"}",
]
NOT_AN_OBJECT = [b"[]", b"[{}]", b'"text"', b"1", b"1.5", b"true", b"null"]
TOO_DEEP = "The body is nested more than 20 levels deep."
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestSyntax:
    def test_a_body_that_is_not_json_is_refused(self, lenient_api: APIClient) -> None:
        failures = {}

        for content in NOT_JSON:
            answer = send(lenient_api, content)
            wrong = mismatches(answer, 400, "validation_error")
            body = answer.json()
            if wrong or body["errors"] != {"non_field_errors": [body["detail"]]}:
                failures[content[:24]] = wrong or body

        assert failures == {}

    def test_a_body_that_is_not_an_object_is_refused(self, lenient_api: APIClient) -> None:
        detail = "The body must be a JSON object."

        failures = {
            content: wrong
            for content in NOT_AN_OBJECT
            if (
                wrong := mismatches(
                    send(lenient_api, content), 400, "validation_error", detail=detail
                )
            )
        }

        assert failures == {}

    def test_an_empty_body_is_refused_with_the_missing_field(self, lenient_api: APIClient) -> None:
        missing = ["This field is required."]
        errors = {"password": missing, "email_or_username": missing}

        failures = {
            content: wrong
            for content in (b"", b" ", b"{}", b"\r\n")
            if (
                wrong := mismatches(
                    send(lenient_api, content), 400, "validation_error", errors=errors
                )
            )
        }

        assert failures == {}

    def test_unknown_fields_are_ignored(self, lenient_api: APIClient, person: User) -> None:
        names = ["__proto__", "constructor", "\x00", "\ud800", "", "x" * 60_000]

        answers = [
            send(lenient_api, json.dumps({**credentials(person.email), name: {"a": [1]}}).encode())
            for name in names
        ]

        assert [answer.status_code for answer in answers] == [200] * len(names)


class TestDepth:
    def test_json_deeper_than_twenty_levels_is_refused(
        self, lenient_api: APIClient, person: User
    ) -> None:
        body = json.dumps({**credentials(person.email), "ignored": 0})
        failures = {}

        for depth, (opening, closing) in itertools.product(
            [21, 22, 100, 5000], [("[", "]"), ('{"a":', "}")]
        ):
            # The outermost object is one of the levels.
            levels = opening * (depth - 1) + "1" + closing * (depth - 1)
            answer = send(lenient_api, body.replace("0}", levels + "}"))
            wrong = mismatches(answer, 400, "validation_error", detail=TOO_DEEP)
            if wrong:
                failures[depth, opening] = wrong

        assert failures == {}
        assert not UserSession.objects.exists()

    def test_json_that_never_closes_is_refused(self, lenient_api: APIClient) -> None:
        contents = ["[" * 5000, '{"a":' * 5000, "[" * 60_000, '{"email": ' + "[" * 50_000]

        failures = {
            content[:24]: wrong
            for content in contents
            if (wrong := mismatches(send(lenient_api, content), 400, "validation_error"))
        }

        assert failures == {}

    def test_a_hundred_thousand_levels_are_too_large(self, lenient_api: APIClient) -> None:
        answer = send(lenient_api, b"[" * 100_000)

        assert mismatches(answer, 413, "payload_too_large") == {}

    def test_a_hundred_thousand_levels_are_refused_where_larger_bodies_are_allowed(
        self, lenient_api: APIClient, settings: Settings
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

        answer = send(lenient_api, b"[" * 100_000 + b"]" * 100_000)

        assert mismatches(answer, 400, "validation_error", detail=TOO_DEEP) == {}

    def test_twenty_levels_are_read(self, api: APIClient, person: User) -> None:
        content = json.dumps({**credentials(person.email), "ignored": 0})

        answer = send(api, content.replace("0}", "[" * 19 + "]" * 19 + "}"))

        assert answer.status_code == 200, answer.content

    def test_brackets_in_a_string_are_not_levels(self, api: APIClient, person: User) -> None:
        body = {**credentials(person.email), "ignored": '[{"\\' * 100}

        answer = send(api, json.dumps(body).encode())

        assert answer.status_code == 200, answer.content


class TestSize:
    def test_a_json_body_over_64_kib_is_too_large(self, api: APIClient, signed_in: Tokens) -> None:
        before = stored_without_sessions()
        failures = {}

        for method, url, field in READERS:
            answer = api.generic(
                method,
                url,
                json.dumps({field: "x" * 64 * 1024}),
                content_type="application/json",
                headers=access_headers(url, signed_in["access"]),
            )
            if wrong := mismatches(answer, 413, "payload_too_large"):
                failures[url] = wrong

        assert failures == {}
        assert stored_without_sessions() == before

    def test_a_form_over_64_kib_is_too_large(self, api: APIClient) -> None:
        multipart = api.post(LOGIN, {"email": "x" * 64 * 1024}, format="multipart")
        urlencoded = send(api, b"email=" + b"x" * 64 * 1024, content_type=FORM)

        assert mismatches(multipart, 413, "payload_too_large") == {}
        assert mismatches(urlencoded, 413, "payload_too_large") == {}

    def test_too_many_files_or_fields_are_refused(self, lenient_api: APIClient) -> None:
        files = {f"file{n}": io.BytesIO(b"x") for n in range(3)}
        fields = "&".join(f"field{n}=x" for n in range(101)).encode()

        many_files = lenient_api.post(LOGIN, files, format="multipart")
        many_fields = send(lenient_api, fields, content_type=FORM)

        assert mismatches(many_files, 400, "validation_error") == {}
        assert mismatches(many_fields, 400, "validation_error") == {}

    def test_a_wrong_content_length_is_refused(self, lenient_api: APIClient) -> None:
        failures = {}

        for length in ("-1", "abc", "1e3", "99999999999999999999", "0x10"):
            answer = send(lenient_api, b"{}", CONTENT_LENGTH=length)
            kind = answer["Content-Type"]
            if answer.status_code not in {400, 413} or kind != "application/problem+json":
                failures[length] = (answer.status_code, kind)

        assert failures == {}
