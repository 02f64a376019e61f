"""A body is read whole before anybody is authenticated, whatever announces its end."""

import io
import json
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.client import encode_multipart
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import TOKEN_INVALID, refusal_of
from authentication.tests.clients import LOGIN, REFRESH, Tokens
from authentication.tests.conftest import API, ME, bearer

from .problems import FORM, READERS, credentials, mismatches, send
from .streams import Body, chunked, send_chunked, zipped

LIMIT = 64 * 1024
LOGOUT = f"{API}/logout/"
PROTECTED = [
    ("POST", f"{API}/password/change/"),
    ("POST", f"{API}/reauthenticate/"),
    ("POST", f"{API}/account/email/"),
    ("POST", f"{API}/account/delete/"),
    ("POST", f"{API}/account/consents/"),
    ("PUT", f"{API}/account/notices/"),
    ("POST", f"{API}/2fa/totp/confirm/"),
    ("POST", f"{API}/2fa/disable/"),
    ("POST", f"{API}/sessions/terminate-all/"),
    ("PATCH", ME),
]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestOrder:
    @pytest.mark.parametrize(("method", "url"), PROTECTED)
    @pytest.mark.parametrize("has_length", [True, False])
    def test_nothing_is_asked_of_the_database_before_the_body_has_arrived(
        self, api: APIClient, signed_in: Tokens, method: str, url: str, *, has_length: bool
    ) -> None:
        asked: list[int] = []
        with CaptureQueriesContext(connection) as captured:
            body = Body(b'{"x": 1}', when_read=lambda: asked.append(len(captured)))
            with_length: dict[str, Any] = {"CONTENT_LENGTH": "8", "wsgi.input": body}
            sent = with_length if has_length else chunked(body)

            api.generic(
                method,
                url,
                content_type="application/json",
                headers=bearer(signed_in["access"]),
                **sent,
            )

        assert asked == [0]

    def test_a_session_that_ends_while_the_body_arrives_is_over(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        def sign_out() -> None:
            assert APIClient().post(LOGOUT, {"refresh": signed_in["refresh"]}).status_code == 200

        body = Body(b"{}", when_read=sign_out)

        answer = send_chunked(api, f"{API}/token/verify/", body)
        status = send_chunked(
            api, f"{API}/account/consents/", body, **bearer(signed_in["access"])
        ).status_code

        assert (answer.status_code, status) == (401, 401)

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    def test_a_body_that_announces_too_much_is_not_read(
        self, api: APIClient, signed_in: Tokens, method: str
    ) -> None:
        body = Body(b"x" * 100)
        url = ME if method == "PATCH" else f"{API}/account/consents/"
        length: dict[str, Any] = {"CONTENT_LENGTH": str(LIMIT + 1), "wsgi.input": body}

        answer = api.generic(method, url, content_type="application/json", **length)

        assert mismatches(answer, 413, "payload_too_large") == {}
        assert body.taken == 0

    def test_a_body_that_cannot_be_parsed_is_counted(
        self, api: APIClient, settings: Settings, db: None
    ) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "2/h", "token_refresh": "2/h"}

        statuses = {
            url: [send(api, b"{", url=url).status_code for _ in range(3)]
            for url in (LOGIN, REFRESH)
        }

        assert statuses == {LOGIN: [400, 400, 429], REFRESH: [400, 400, 429]}


class TestChunked:
    def test_a_chunked_body_is_read_like_any_other(self, api: APIClient, person: User) -> None:
        assert send_chunked(api, LOGIN, credentials(person.email)).status_code == 200

    def test_a_chunked_form_is_read(self, api: APIClient, person: User) -> None:
        body = credentials(person.email)
        form = "&".join(f"{name}={value}" for name, value in body.items()).encode()
        parts = encode_multipart("b", body)
        kinds = {FORM: form, "multipart/form-data; boundary=b": parts}

        statuses = [
            api.generic("POST", LOGIN, content_type=kind, **chunked(Body(content))).status_code
            for kind, content in kinds.items()
        ]

        assert statuses == [200, 200]

    def test_a_refresh_token_in_a_chunked_body_is_used(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        answer = send_chunked(api, REFRESH, {"refresh": signed_in["refresh"]})

        assert answer.status_code == 200
        assert answer.json()["refresh"]

    def test_an_empty_chunked_body_is_no_body(self, api: APIClient, signed_in: Tokens) -> None:
        answer = send_chunked(api, LOGOUT, Body(b""), **bearer(signed_in["access"]))

        assert answer.status_code == 200

    def test_a_chunked_body_over_the_limit_is_too_large(self, api: APIClient) -> None:
        body = Body(b"[" * 10 * LIMIT)

        answer = send_chunked(api, LOGIN, body)

        assert mismatches(answer, 413, "payload_too_large") == {}
        assert body.taken <= LIMIT + 1

    def test_a_chunked_body_of_exactly_the_limit_is_read(
        self, api: APIClient, person: User
    ) -> None:
        content = json.dumps(credentials(person.email)).encode()

        answer = send_chunked(api, LOGIN, Body(content + b" " * (LIMIT - len(content))))

        assert answer.status_code == 200

    def test_a_server_that_cannot_read_chunks_says_so(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        body = Body(b"{}")

        answer = api.generic(
            "POST",
            LOGIN,
            content_type="application/json",
            **{**chunked(body), "wsgi.input_terminated": False},
        )

        detail = "This server needs a Content-Length. Please send the body with its length."
        assert mismatches(answer, 400, "validation_error", detail=detail) == {}
        assert body.taken == 0

    def test_the_form_of_a_page_may_be_chunked(self, visitor: Client, person: User) -> None:
        url = "/account/forgot-password/"
        token = visitor.get(url).cookies["csrftoken"].value
        form = f"csrfmiddlewaretoken={token}&email=ruth%40example.org".encode()

        bodies = [Body(form), Body(b"a" * 99_999), Body(b"a", error=OSError())]

        answers = [
            visitor.generic("POST", url, CONTENT_TYPE=FORM, **chunked(body)) for body in bodies
        ]

        assert [answer.status_code for answer in answers] == [303, 400, 400]
        assert bodies[1].taken <= LIMIT + 1


class TestBroken:
    ERRORS = (OSError("reset"), TimeoutError(), ValueError("a bad chunk"))

    @pytest.mark.parametrize("error", ERRORS, ids=repr)
    @pytest.mark.parametrize("has_length", [True, False])
    def test_a_body_that_breaks_off_is_a_malformed_request(
        self, lenient_api: APIClient, error: Exception, *, has_length: bool
    ) -> None:
        body = Body(b'{"email":', error=error)
        sent = {"CONTENT_LENGTH": "100", "wsgi.input": body} if has_length else chunked(body)

        answer = lenient_api.generic("POST", LOGIN, content_type="application/json", **sent)

        detail = "The body did not arrive whole. Please send the request again."
        assert mismatches(answer, 400, "validation_error", detail=detail) == {}

    def test_a_body_shorter_than_its_length_is_a_malformed_request(
        self, lenient_api: APIClient, person: User
    ) -> None:
        content = json.dumps(credentials(person.email)).encode()

        for url in (LOGIN, ME):
            short: dict[str, Any] = {"wsgi.input": io.BytesIO(content)}
            answer = send(lenient_api, b"", url=url, CONTENT_LENGTH=str(len(content) + 1), **short)

            assert mismatches(answer, 400, "validation_error") == {}


class TestFormats:
    @pytest.mark.parametrize("piece", ["[", '["', '\\"', '"\\"', '{"":', "\\"], ids=ascii)
    def test_hostile_json_is_refused_in_little_time(self, api: APIClient, piece: str) -> None:
        started = time.process_time()

        answer = send(api, ("[" * 21 + piece * LIMIT)[:LIMIT].encode())

        assert mismatches(answer, 400, "validation_error") == {}
        assert time.process_time() - started < 1

    def test_json_may_begin_with_a_byte_order_mark(self, api: APIClient, person: User) -> None:
        content = b"\xef\xbb\xbf" + json.dumps(credentials(person.email)).encode()

        assert send(api, content).status_code == 200

    @pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "zstd"])
    def test_a_compressed_body_is_refused_by_name(self, api: APIClient, coding: str) -> None:
        content: Any = zipped({})
        headers = {"Content-Encoding": coding}
        failures = {}

        for method, url, _ in READERS:
            answer = api.generic(
                method, url, content, content_type="application/json", headers=headers
            )
            if answer.status_code == 401:
                continue
            wrong = mismatches(answer, 415, "unsupported_media_type")
            named = f"Content-Encoding: {coding.lower()}." in answer.json()["detail"]
            if wrong or not named or answer["Accept-Encoding"] != "identity":
                failures[url] = answer.content

        assert failures == {}

    def test_the_coding_identity_is_none(self, api: APIClient, person: User) -> None:
        content = json.dumps(credentials(person.email)).encode()

        answer = send(api, content, headers={"Content-Encoding": "identity"})

        assert answer.status_code == 200


def test_a_body_without_meaning_is_served(api: APIClient, signed_in: Tokens) -> None:
    bodies: list[tuple[bytes, str]] = [
        (b"{", "application/json"),
        (b"x" * 2 * LIMIT, "application/json"),
        (b"<a/>", "application/xml"),
        (zipped({}), "application/json"),
    ]

    def outcome(content: Any, kind: str) -> Any:
        url, headers = f"{API}/sessions/terminate-all/", bearer(signed_in["access"])
        return api.generic("POST", url, content, content_type=kind, headers=headers).status_code

    assert [outcome(*body) for body in bodies] == [200] * len(bodies)


def test_a_refused_request_without_a_token_is_a_401_with_its_body_read(api: APIClient) -> None:
    file = SimpleUploadedFile("a.txt", b"x")

    answer = api.patch(ME, {"first_name": file}, format="multipart")

    assert refusal_of(answer) == TOKEN_INVALID
