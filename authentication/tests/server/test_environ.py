"""WSGI's environ of a request, and the requests that are refused without it."""

from typing import Any

import pytest

from .asgi import HOST, Headers, request


def environ_of(**parts: Any) -> dict[str, Any]:
    """Return the environ that an application gets."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        start_response("204 No Content", [])
        return []

    assert request(application, **parts).status == 204
    return seen


def test_address_path_query_and_version() -> None:
    seen = environ_of(path=b"/caf%C3%A9/a%2Fb%FF", query=b"q=%20", version="1.0")

    expected = {
        "PATH_INFO": "/caf\xc3\xa9/a/b\xff",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "q=%20",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "REMOTE_ADDR": "198.51.100.7",
        "SERVER_NAME": "192.0.2.1",
        "SERVER_PORT": "8002",
        "wsgi.url_scheme": "http",
    }
    assert {name: seen[name] for name in expected} == expected
    assert "CONTENT_LENGTH" not in seen


def test_headers_of_one_name_are_joined_and_cookies_with_semicolons() -> None:
    headers = [*HOST, (b"x-a", b"1"), (b"x-a", b"2"), (b"cookie", b"a=1"), (b"cookie", b"b=2")]

    seen = environ_of(headers=headers)

    assert (seen["HTTP_X_A"], seen["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")


def test_bytes_beyond_ascii_arrive_as_they_were_sent() -> None:
    seen = environ_of(headers=[*HOST, (b"cookie", "name=é; refresh=x".encode())])

    assert seen["HTTP_COOKIE"].encode("latin-1").decode() == "name=é; refresh=x"


def test_a_name_with_an_underscore_is_dropped() -> None:
    seen = environ_of(headers=[*HOST, (b"x-real-ip", b"192.0.2.9"), (b"x_real_ip", b"203.0.113.9")])

    assert seen["HTTP_X_REAL_IP"] == "192.0.2.9"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("CONNECT", b"/", [], 501),
        ("get", b"/", [], 501),
        ("POST", b"/", [(b"transfer-encoding", b"gzip, chunked")], 501),
        ("POST", b"/", [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"x")], 501),
        ("GET", b"/" + b"a" * 8190, [], 414),
        ("GET", b"/", [(b"x-long", b"a" * 8190)], 431),
        ("GET", b"/", [(b"x-many", b"1")] * 60, 431),
    ],
)
def test_requests_over_a_limit_or_of_two_meanings_do_not_reach_the_application(
    method: str, path: bytes, headers: Headers, status: int
) -> None:
    sent = request(pytest.fail, method, path, headers=[*HOST, *headers])

    assert (sent.status, sent.headers["connection"]) == (status, "close")
