"""Every error under /api/ is a problem (RFC 9457) with the members of contract 3, and says no more than they do."""

import io
import json
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError
from django.test import Client
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisDown
from rest_framework.test import APIClient

from authentication.exceptions import Problem
from authentication.models import User, UserSession
from authentication.services import AuthenticationService
from authentication.tests.answers import rows
from authentication.tests.clients import Tokens
from authentication.tests.conftest import API, BROWSER, ME, bearer
from authentication.tests.factories import PASSWORD
from vineyard_group_fellowship.middleware.origin import OriginProofMiddleware

LOGIN = f"{API}/login/"
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "error", "correlation_id"}
TITLES = {
    "validation_error": "Invalid input",
    "token_invalid": "Not signed in",
    "csrf_failed": "Cross-site request refused",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "payload_too_large": "Request too large",
    "unsupported_media_type": "Unsupported media type",
    "rate_limited": "Too many requests",
    "server_error": "Something went wrong",
    "service_unavailable": "Service unavailable",
}
SECRET = "SELECT password FROM auth_user; SECRET_KEY=hunter2"

# Each address that reads a body, with a field it knows.
READERS = [
    ("POST", f"{API}/register/", "email"),
    ("POST", LOGIN, "email"),
    ("POST", f"{API}/logout/", "refresh"),
    ("POST", f"{API}/token/refresh/", "refresh"),
    ("POST", f"{API}/token/verify/", "token"),
    ("POST", f"{API}/exchange-token/", "exchange_token"),
    ("POST", f"{API}/password/change/", "old_password"),
    ("POST", f"{API}/password/reset/", "email"),
    ("POST", f"{API}/password/reset/confirm/", "token"),
    ("POST", f"{API}/email/verify/", "token"),
    ("POST", f"{API}/email/resend/", "email"),
    ("PATCH", ME, "first_name"),
]
TEXTS = [
    *((f"{API}/logout/", "refresh"), (f"{API}/token/refresh/", "refresh")),
    *((f"{API}/token/verify/", "token"), (f"{API}/exchange-token/", "exchange_token")),
    *(
        (f"{API}/password/change/", field)
        for field in ("old_password", "new_password", "new_password_confirm")
    ),
    *(
        (f"{API}/password/reset/confirm/", field)
        for field in ("token", "new_password", "new_password_confirm")
    ),
    *((f"{API}/password/reset/", "email"), (f"{API}/email/resend/", "email")),
    (f"{API}/email/verify/", "token"),
]
WRONG_TYPES = [None, 1, 1.5, True, [], ["text"], {}, {"text": "text"}]
HARMLESS = [
    "User-Agent",
    "Accept",
    "X-Correlation-ID",
    "X-Forwarded-For",
    "Referer",
    "X-CSRFToken",
    "Cookie",
    "Expect",
]
FORBIDDEN = ["\x00", "\x1b", "\x7f", "\u0085", "\u202e", "\u2028", "\ud800"]

pytestmark = pytest.mark.django_db


def short(value: object) -> str:
    """Return a test's name for a value of any length."""
    return ascii(value)[:24]


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def assert_problem(
    answer: Any, status: int, code: str, *, extra: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check that an answer is the problem of a code, with exactly its members, and return it."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert body.keys() == MEMBERS | set(extra)
    assert body["type"] == f"/api/problems/{code}/"
    assert body["title"] == TITLES[code]
    assert body["status"] == status
    assert body["error"] == body["detail"]
    assert body["instance"] == answer.wsgi_request.path
    assert body["correlation_id"] == answer["X-Correlation-ID"]
    assert answer["Cache-Control"] == "no-store"
    return body


def raw(
    api: APIClient,
    content: Any,
    *,
    content_type: str = "application/json",
    url: str = LOGIN,
    **extra: Any,
) -> Any:
    return api.generic("POST", url, content, content_type=content_type, **extra)


def filled(url: str) -> dict[str, str]:
    """Return what an address needs beside the field in question."""
    passwords = {"old_password": PASSWORD, "new_password": "Another-Horse-7", "token": "x"}
    return passwords if url.endswith(("change/", "confirm/")) else {}


def safe(api: APIClient) -> APIClient:
    """Return the client as a server would run it: a crash is answered, not raised in the test."""
    api.raise_request_exception = False
    return api


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/",
            "/api/nowhere/",
            "/api/v1/",
            "/api/v1/auth/",
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
        ],
        ids=short,
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_an_unknown_one_is_not_found(self, api: APIClient, method: str, path: str) -> None:
        answer = api.generic(method, path)

        body = assert_problem(answer, 404, "not_found")
        assert body["detail"] == "There is nothing here."

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"])
    def test_a_missing_slash_is_hinted_at_and_not_redirected(
        self, api: APIClient, method: str
    ) -> None:
        answer = api.generic(method, f"{API}/login")

        if method == "HEAD":
            assert answer.status_code == 404
            return
        body = assert_problem(answer, 404, "not_found")
        assert (
            body["detail"]
            == f"There is nothing here. Did you mean {API}/login/ with a slash at its end?"
        )

    def test_an_unknown_problem_has_no_meaning(self, api: APIClient) -> None:
        answer = api.get("/api/problems/unknown/")

        assert_problem(answer, 404, "not_found")

    def test_nor_is_it_a_page_for_developers_while_one_is_at_it(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DEBUG = True

        assert api.post("/api").json()["code"] == "not_found"

    @pytest.mark.parametrize("path", ["/api/nowhere", "/api/v1/auth", "/api/docs/x"])
    def test_no_hint_leads_to_another_unknown_one(self, api: APIClient, path: str) -> None:
        answer = api.get(path)

        assert assert_problem(answer, 404, "not_found")["detail"] == "There is nothing here."

    def test_an_unknown_one_outside_the_api_is_a_page(self, api: APIClient) -> None:
        answer = api.get("/nowhere/")

        assert answer.status_code == 404
        assert answer["Content-Type"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize(
        "query",
        ["?x=%00", "?x=%ff%fe", "?x=%ed%a0%80", "?" + "&" * 5000, "?x=" + "y" * 9000, "?%"],
        ids=short,
    )
    def test_a_strange_query_does_no_harm(self, api: APIClient, query: str) -> None:
        answer = safe(api).get(f"{API}/csrf/{query}")

        assert answer.status_code == 200


class TestMethods:
    @pytest.mark.parametrize(
        ("url", "allow"),
        [
            *(
                (url, "POST, OPTIONS")
                for method, url, _ in READERS
                if method == "POST" and "change" not in url
            ),
            (f"{API}/csrf/", "GET, HEAD, OPTIONS"),
            (f"{API}/health/", "GET, HEAD, OPTIONS"),
        ],
    )
    @pytest.mark.parametrize("method", ["PUT", "TRACE", "FOO"])
    def test_one_that_is_not_taken_is_answered_with_those_that_are(
        self, api: APIClient, url: str, allow: str, method: str
    ) -> None:
        answer = api.generic(method, url)

        assert_problem(answer, 405, "method_not_allowed")
        assert answer["Allow"] == allow

    @pytest.mark.parametrize(
        ("url", "allow"),
        [
            (ME, "GET, PATCH, HEAD, OPTIONS"),
            (f"{API}/password/change/", "POST, OPTIONS"),
            (f"{API}/sessions/", "GET, HEAD, OPTIONS"),
            (f"{API}/sessions/terminate-all/", "POST, OPTIONS"),
            (f"{API}/sessions/0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10/", "GET, DELETE, HEAD, OPTIONS"),
        ],
    )
    def test_so_it_is_behind_a_sign_in(
        self, api: APIClient, signed_in: Tokens, url: str, allow: str
    ) -> None:
        answer = api.put(url, {}, headers=bearer(signed_in["access"]))

        assert_problem(answer, 405, "method_not_allowed")
        assert answer["Allow"] == allow


class TestBodies:
    @pytest.mark.parametrize(
        "content",
        [
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
            b"\xef\xbb\xbf{}",
            b'{"email": "\xff"}',
            b'{"email": "\xed\xa0\x80"}',
            '{"email": "\u00fc"}'.encode("latin-1"),
            '{"email": "a"}'.encode("utf-16"),
            b"NaN",
            b'{"email": NaN}',
            b'{"email": Infinity}',
            b'{"email": -Infinity}',
            b'{"email": ' + b"1" * 5000 + b"}",
        ],
    )
    def test_json_that_is_none_is_refused(self, api: APIClient, content: bytes) -> None:
        answer = raw(safe(api), content)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["errors"] == {"non_field_errors": [body["detail"]]}

    @pytest.mark.parametrize("content", [b"[]", b"[{}]", b'"text"', b"1", b"1.5", b"true", b"null"])
    def test_json_that_is_no_object_is_refused(self, api: APIClient, content: bytes) -> None:
        answer = raw(safe(api), content)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["detail"] == "The body must be a JSON object."

    @pytest.mark.parametrize("depth", [21, 22, 100, 5000])
    @pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
    def test_json_nested_too_deeply_is_refused(
        self, api: APIClient, person: User, depth: int, opening: str, closing: str
    ) -> None:
        # The outermost object is a level of its own.
        levels = opening * (depth - 1) + "1" + closing * (depth - 1)
        content = json.dumps({"email": person.email, "password": PASSWORD, "ignored": 0}).replace(
            "0}", levels + "}"
        )

        answer = raw(safe(api), content)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["detail"] == "The body is nested more than 20 levels deep."
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize(
        "content",
        ["[" * 5000, '{"a":' * 5000, "[" * 60_000, '{"email": ' + "[" * 50_000],
        ids=short,
    )
    def test_json_that_never_closes_is_refused(self, api: APIClient, content: str) -> None:
        answer = raw(safe(api), content)

        assert_problem(answer, 400, "validation_error", extra=("errors",))

    def test_json_nested_a_hundred_thousand_deep_is_too_large(self, api: APIClient) -> None:
        answer = raw(safe(api), b"[" * 100_000)

        assert_problem(answer, 413, "payload_too_large")

    def test_a_hundred_thousand_levels_are_refused_where_they_fit(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

        answer = raw(safe(api), b"[" * 100_000 + b"]" * 100_000)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["detail"] == "The body is nested more than 20 levels deep."

    def test_json_nested_twenty_deep_is_read(self, api: APIClient, person: User) -> None:
        content = json.dumps({"email": person.email, "password": PASSWORD, "ignored": 0})

        answer = raw(api, content.replace("0}", "[" * 19 + "]" * 19 + "}"))

        assert answer.status_code == 200, answer.content

    def test_brackets_in_a_string_are_no_levels(self, api: APIClient, person: User) -> None:
        asked = {"email": person.email, "password": PASSWORD, "ignored": '[{"\\' * 100}

        answer = raw(api, json.dumps(asked).encode())

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize("content", [b"", b" ", b"{}", b"\r\n"])
    def test_an_empty_one_is_told_what_it_lacks(self, api: APIClient, content: bytes) -> None:
        answer = raw(api, content)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["errors"] == {"password": ["This field is required."]}

    @pytest.mark.parametrize(("method", "url", "field"), READERS)
    def test_one_over_64_kib_is_too_large(
        self, api: APIClient, signed_in: Tokens, method: str, url: str, field: str
    ) -> None:
        before = rows()
        content = json.dumps({field: "x" * 64 * 1024})

        answer = api.generic(
            method,
            url,
            content,
            content_type="application/json",
            headers=_access(url, signed_in["access"]),
        )

        assert_problem(answer, 413, "payload_too_large")
        assert _durable(rows()) == _durable(before)

    @pytest.mark.parametrize("kind", ["multipart", "form"])
    def test_a_form_over_64_kib_is_too_large(self, api: APIClient, kind: str) -> None:
        if kind == "multipart":
            answer = api.post(LOGIN, {"email": "x" * 64 * 1024}, format="multipart")
        else:
            answer = raw(
                api, b"email=" + b"x" * 64 * 1024, content_type="application/x-www-form-urlencoded"
            )

        assert_problem(answer, 413, "payload_too_large")

    @pytest.mark.parametrize(("method", "url", "field"), READERS)
    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml"])
    def test_one_of_another_type_is_not_read(
        self,
        api: APIClient,
        signed_in: Tokens,
        method: str,
        url: str,
        field: str,
        content_type: str,
    ) -> None:
        before = rows()

        answer = api.generic(
            method,
            url,
            f"{field}=x",
            content_type=content_type,
            headers=_access(url, signed_in["access"]),
        )

        assert_problem(answer, 415, "unsupported_media_type")
        assert _durable(rows()) == _durable(before)

    @pytest.mark.parametrize(
        "content_type",
        ["", "x", "/", "application/", "json", "application/jsonp", ";", "\x00", "text/json"],
    )
    def test_one_of_a_strange_type_is_not_read(self, api: APIClient, content_type: str) -> None:
        answer = raw(safe(api), b"{}", content_type=content_type)

        assert_problem(answer, 415, "unsupported_media_type")

    @pytest.mark.parametrize(
        "charset",
        ["utf-7", "utf-16", "bz2_codec", "rot13", "hex", "idna", "latin-1", "cp037", "unheard-of"],
    )
    def test_one_in_another_charset_is_not_read(self, api: APIClient, charset: str) -> None:
        for kind in (
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
        ):
            answer = raw(safe(api), b"email=x", content_type=f"{kind}; charset={charset}")

            assert_problem(answer, 415, "unsupported_media_type")

    @pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"utf-8"', "us-ascii", ""])
    def test_utf_8_may_be_named(self, api: APIClient, person: User, charset: str) -> None:
        content = json.dumps({"email": person.email, "password": PASSWORD}).encode()

        answer = raw(safe(api), content, content_type=f"application/json; charset={charset}")

        assert answer.status_code == 200, answer.content

    @pytest.mark.parametrize(
        ("content_type", "content"),
        [
            ("multipart/form-data", b"email=x"),
            ("multipart/form-data; boundary=", b"email=x"),
            ("multipart/form-data; boundary=\xfc", b"email=x"),
        ],
        ids=ascii,
    )
    def test_multipart_without_a_boundary_is_refused(
        self, api: APIClient, content_type: str, content: bytes
    ) -> None:
        answer = raw(safe(api), content, content_type=content_type)

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["errors"].keys() <= {"non_field_errors", "password"}

    def test_a_file_is_no_text(self, api: APIClient, db: None) -> None:
        asked = {"email": SimpleUploadedFile("a.txt", b"ruth@example.org"), "password": PASSWORD}

        answer = api.post(LOGIN, asked, format="multipart")

        body = assert_problem(answer, 400, "validation_error", extra=("errors",))
        assert body["errors"].keys() == {"email"}

    def test_more_files_or_fields_than_any_form_has_are_refused(self, api: APIClient) -> None:
        files = {f"file{n}": io.BytesIO(b"x") for n in range(3)}
        fields = "&".join(f"field{n}=x" for n in range(101)).encode()

        many_files = safe(api).post(LOGIN, files, format="multipart")
        many_fields = raw(api, fields, content_type="application/x-www-form-urlencoded")

        assert_problem(many_files, 400, "validation_error", extra=("errors",))
        assert_problem(many_fields, 400, "validation_error", extra=("errors",))

    @pytest.mark.parametrize("length", ["-1", "abc", "1e3", "99999999999999999999", "0x10"])
    def test_a_wrong_length_is_no_crash(self, api: APIClient, length: str) -> None:
        answer = raw(safe(api), b"{}", CONTENT_LENGTH=length)

        assert answer.status_code in {400, 413}
        assert answer["Content-Type"] == "application/problem+json"


class TestTypes:
    @pytest.mark.parametrize(("url", "field"), TEXTS)
    def test_only_a_string_is_a_text_anywhere(
        self, api: APIClient, signed_in: Tokens, url: str, field: str
    ) -> None:
        before = rows()

        for value in WRONG_TYPES:
            answer = safe(api).post(
                url, {**filled(url), field: value}, headers=_access(url, signed_in["access"])
            )

            body = assert_problem(answer, 400, "validation_error", extra=("errors",))
            assert body["errors"].keys() == {field}
            assert all(isinstance(message, str) for message in body["errors"][field])
        assert _durable(rows()) == _durable(before)

    @pytest.mark.parametrize(("url", "field"), TEXTS)
    def test_control_characters_and_surrogates_are_no_text_anywhere(
        self, api: APIClient, signed_in: Tokens, url: str, field: str
    ) -> None:
        before = rows()

        for character in FORBIDDEN:
            asked = json.dumps({**filled(url), field: f"a{character}b@example.org"})
            answer = raw(
                safe(api), asked.encode(), url=url, headers=_access(url, signed_in["access"])
            )

            body = assert_problem(answer, 400, "validation_error", extra=("errors",))
            assert body["errors"].keys() == {field}
        assert _durable(rows()) == _durable(before)

    @pytest.mark.parametrize(
        "name", ["__proto__", "constructor", "\x00", "\ud800", "", "x" * 60_000], ids=short
    )
    def test_unknown_fields_of_any_name_are_ignored(
        self, api: APIClient, person: User, name: str
    ) -> None:
        asked = json.dumps({"email": person.email, "password": PASSWORD, name: {"a": [1]}})

        answer = raw(safe(api), asked.encode())

        assert answer.status_code == 200


class TestHeaders:
    @pytest.mark.parametrize("name", HARMLESS)
    def test_strange_ones_do_no_harm(self, api: APIClient, person: User, name: str) -> None:
        for value in ("\x00", "\x7f", "\x1b[31m", "\u00fc", "\xff\xfe", "x" * 9000):
            answer = safe(api).post(
                LOGIN, {"email": person.email, "password": PASSWORD}, headers={name: value}
            )

            assert answer.status_code == 200, (name, value[:9], answer.content)

    @pytest.mark.parametrize(
        "value", ["\x00", "\u00fc", "http://[", "http://[::1", "null", "://", "x" * 9000], ids=short
    )
    def test_a_strange_origin_is_a_foreign_one(
        self, api: APIClient, person: User, value: str
    ) -> None:
        answer = safe(api).post(
            LOGIN, {"email": person.email, "password": PASSWORD}, headers={"Origin": value}
        )

        assert_problem(answer, 403, "csrf_failed")
        assert "Access-Control-Allow-Origin" not in answer.headers

    @pytest.mark.parametrize(
        "token",
        ["\x00", "\u00fc", "a.b.c", "." * 100, "x" * 9000, "e30.e30.", "bnVsbA.bnVsbA.x"],
        ids=short,
    )
    def test_a_strange_token_is_none(self, api: APIClient, db: None, token: str) -> None:
        api = safe(api)
        by_header = api.get(ME, headers={"Authorization": f"Bearer {token}"})
        api.cookies["refresh_token"] = token
        by_cookie = api.post(f"{API}/token/refresh/")

        assert_problem(by_header, 401, "token_invalid")
        assert_problem(by_cookie, 401, "token_invalid")
        assert by_header["WWW-Authenticate"] == by_cookie["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize(
        "accept", ["text/html", "application/xml", "image/*", "nothing", "*/*;q=0"]
    )
    def test_there_is_only_json_whatever_the_client_would_rather_have(
        self, api: APIClient, accept: str
    ) -> None:
        answer = api.post(LOGIN, {}, headers={"Accept": accept})

        assert_problem(answer, 400, "validation_error", extra=("errors",))

    @pytest.mark.parametrize("path", [f"{API}/csrf/", LOGIN, "/api/nowhere/"])
    def test_a_wrong_host_is_a_malformed_request(self, api: APIClient, path: str) -> None:
        for host in (
            "evil.example",
            "testserver.evil.example",
            "testserver:x",
            "",
            "\x00",
            "a b",
            "[::1",
        ):
            answer = safe(api).get(path, headers={"Host": host})

            body = assert_problem(answer, 400, "validation_error", extra=("errors",))
            assert body["detail"] == "We could not read this request."
            assert "evil" not in answer.content.decode()


class TestFaults:
    @pytest.mark.parametrize("debug", ["on", "off"])
    def test_a_crash_says_nothing_of_itself(
        self,
        api: APIClient,
        person: User,
        monkeypatch: pytest.MonkeyPatch,
        settings: Settings,
        debug: str,
    ) -> None:
        settings.DEBUG = debug == "on"

        def crash(**_: object) -> None:
            raise ZeroDivisionError(SECRET)

        monkeypatch.setattr(AuthenticationService, "log_in", crash)

        answer = safe(api).post(LOGIN, {"email": person.email, "password": PASSWORD})

        assert_problem(answer, 500, "server_error")
        assert_says_nothing(answer)

    @pytest.mark.parametrize("debug", ["on", "off"])
    def test_so_does_one_before_any_view(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch, settings: Settings, debug: str
    ) -> None:
        settings.DEBUG = debug == "on"

        def crash(*_: object) -> None:
            raise ZeroDivisionError(SECRET)

        monkeypatch.setattr(OriginProofMiddleware, "process_view", crash)

        answer = safe(api).get(f"{API}/csrf/")

        assert_problem(answer, 500, "server_error")
        assert_says_nothing(answer)

    @pytest.mark.parametrize(
        "fault", [OperationalError(SECRET), InterfaceError(SECRET), RedisDown(SECRET)], ids=repr
    )
    def test_a_store_that_is_down_is_a_reason_to_come_back(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch, fault: Exception
    ) -> None:
        def crash(**_: object) -> None:
            raise fault

        monkeypatch.setattr(AuthenticationService, "log_in", crash)

        answer = safe(api).post(LOGIN, {"email": person.email, "password": PASSWORD})

        assert_problem(answer, 503, "service_unavailable")
        assert int(answer["Retry-After"]) >= 1
        assert "refresh_token" not in answer.cookies
        assert_says_nothing(answer)

    def test_no_database_is_a_reason_to_come_back_and_keeps_the_cookie(
        self, browser: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser.post(LOGIN, {"email": person.email, "password": PASSWORD})

        def refuse(*_: object, **__: object) -> None:
            raise OperationalError(SECRET)

        with monkeypatch.context() as broken:
            broken.setattr("django.db.backends.utils.CursorWrapper.execute", refuse)
            answer = safe(browser).post(f"{API}/token/refresh/")

        assert_problem(answer, 503, "service_unavailable")
        assert "refresh_token" not in answer.cookies
        assert browser.post(f"{API}/token/refresh/").status_code == 200

    def test_a_foreign_page_is_told_why_it_is_refused(self, browser: APIClient) -> None:
        answer = browser.post(LOGIN, {}, headers={**BROWSER, "Sec-Fetch-Site": "cross-site"})

        assert_problem(answer, 403, "csrf_failed")

    def test_a_limit_is_a_problem_too(self, api: APIClient, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "csrf": "1/h"}
        api.get(f"{API}/csrf/")

        answer = api.get(f"{API}/csrf/")

        assert_problem(answer, 429, "rate_limited")
        assert int(answer["Retry-After"]) >= 1

    def test_outside_the_api_django_answers_with_its_pages(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(*_: object, **__: object) -> None:
            raise ZeroDivisionError(SECRET)

        monkeypatch.setattr("authentication.view_modules.account_pages.VerifyEmailPage.get", crash)
        client.raise_request_exception = False

        answer = client.get("/account/verify-email/")

        assert answer.status_code == 500
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        assert_says_nothing(answer)


class TestMeanings:
    @pytest.mark.parametrize(
        "code", sorted({kind.code for kind in Problem.__subclasses__()} | {"server_error"})
    )
    def test_each_type_leads_to_its_meaning(self, api: APIClient, code: str) -> None:
        answer = api.get(f"/api/problems/{code}/")

        body = answer.json()
        assert answer.status_code == 200
        assert body.keys() == {"code", "meanings"}
        assert body["code"] == code
        assert all(meaning.keys() == {"status", "title", "detail"} for meaning in body["meanings"])

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


def assert_says_nothing(answer: Any) -> None:
    text = answer.content.decode() + str(answer.headers)
    assert not re.search(
        r"ZeroDivision|OperationalError|InterfaceError|hunter2|SELECT|Traceback|\.py|authentication\.",
        text,
    )


def _access(url: str, access: str) -> dict[str, str]:
    return bearer(access) if url in {ME, f"{API}/password/change/"} else {}


def _durable(tables: dict[str, Any]) -> dict[str, Any]:
    """Return what is stored but for the sessions, which note that somebody was there."""
    return {name: found for name, found in tables.items() if name != "UserSession"}
