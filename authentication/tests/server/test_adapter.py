"""Whole requests reach the application; responses are sent, streamed, closed and logged."""

import io
import threading
import time
from collections.abc import Iterator
from typing import Any
from wsgiref.validate import validator

import pytest

from authentication.tests.flows.logged import lines_of, logged
from vineyard_group_fellowship.server import adapter
from vineyard_group_fellowship.server.environ import REFUSAL_KEY

from .asgi import HOST, request

CHUNKED = [*HOST, (b"transfer-encoding", b"chunked")]


def length(number: int) -> list[tuple[bytes, bytes]]:
    return [*HOST, (b"content-length", str(number).encode())]


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def state_refusal(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response(f"{environ[REFUSAL_KEY]:d} Refused", [("Content-Type", "text/plain")])
    return [b"refused"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_the_exchange_is_valid_wsgi(method: str) -> None:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        while environ["wsgi.input"].read(7):
            pass
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Name", " café ")])
        return [b"" if method == "HEAD" else b"abc"]

    sent = request(validator(application), method, body=[b"0123456789"], headers=length(10))

    assert (sent.status, sent.headers["x-name"]) == (200, "café")
    assert sent.messages[-1]["more_body"] is False


def test_a_response_of_known_length_is_one_message() -> None:
    sent = request(echo, "POST", body=[b"abc", b"def"], headers=length(6))

    assert sent.blocks == [b"abcdef"]


def test_a_chunked_body_arrives_with_its_length_and_closes_the_connection() -> None:
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    sent = request(application, "POST", body=[b"abc", b"def", b""], headers=CHUNKED)

    assert (sent.body, seen["CONTENT_LENGTH"]) == (b"abcdef", "6")
    assert "HTTP_TRANSFER_ENCODING" not in seen
    assert sent.headers["connection"] == "close"


@pytest.mark.slow
@pytest.mark.parametrize("headers", [length(1001), CHUNKED], ids=["length", "chunked"])
def test_a_body_over_the_limit_is_refused_before_all_of_it_has_arrived(
    headers: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "BODY_SECONDS", 0.3)
    taken: list[float] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        taken.append(time.monotonic())
        assert environ["wsgi.input"].read() == b""
        return state_refusal(environ, start_response)

    start = time.monotonic()
    sent = request(application, "POST", body=[b"x" * 600, b"x" * 600], headers=headers, hangs=True)

    assert (sent.status, sent.headers["connection"]) == (413, "close")
    assert taken[0] - start < 0.25


def test_a_body_of_the_limit_is_accepted() -> None:
    assert request(echo, "POST", body=[b"x" * 1000], headers=length(1000)).status == 200


def test_a_body_that_does_not_arrive_in_time_is_a_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "BODY_SECONDS", 0.1)

    sent = request(state_refusal, "POST", body=[b"abc"], headers=length(6), hangs=True)

    assert (sent.status, sent.headers["connection"]) == (408, "close")


@pytest.mark.parametrize("headers", [length(6), CHUNKED], ids=["length", "chunked"])
def test_a_body_that_breaks_off_does_not_reach_the_application(
    headers: list[tuple[bytes, bytes]],
) -> None:
    sent = request(pytest.fail, "POST", body=[b"abc"], headers=headers, breaks=True)

    assert (sent.status, sent.headers["connection"]) == (400, "close")


class Blocks:
    """An iterable that knows when it was closed, and in which thread."""

    def __init__(self, *blocks: bytes, error: Exception | None = None) -> None:
        self._blocks, self._error = blocks, error
        self.closed_in = ""

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks
        if self._error:
            raise self._error

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


def streaming(blocks: Blocks) -> Any:
    def application(_: dict[str, Any], start_response: Any) -> Blocks:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return blocks

    return application


def test_blocks_are_sent_one_by_one_and_closed_in_the_thread_of_the_request() -> None:
    blocks = Blocks(b"a", b"", b"b")

    sent = request(streaming(blocks))

    assert sent.blocks[:2] == [b"a", b"b"]
    assert blocks.closed_in.startswith("request")


def test_an_error_before_the_first_block_is_a_500_and_is_logged() -> None:
    blocks = Blocks(error=LookupError("secret"))

    with logged("json") as log:
        sent = request(streaming(blocks))

    events = lines_of(log.getvalue())
    assert (sent.status, sent.body) == (500, b"")
    assert blocks.closed_in
    assert [it["fault"] for it in events if it["event"] == "application_failed"] == ["LookupError"]
    assert [it["status"] for it in events if it["event"] == "request"] == [500]


def test_an_error_in_the_middle_cuts_the_response_short() -> None:
    blocks = Blocks(b"a", error=LookupError())

    with logged("json"), pytest.raises(LookupError):
        request(streaming(blocks))

    assert blocks.closed_in


def test_a_client_that_has_gone_ends_the_response() -> None:
    given: list[int] = []

    class Endless(Blocks):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                given.append(1)
                time.sleep(0.01)
                yield b"x"

    blocks = Endless()
    request(streaming(blocks), leaves=True)

    assert len(given) < 100
    assert blocks.closed_in


def test_a_file_is_sent_without_a_thread_of_the_pool() -> None:
    class File(io.BytesIO):
        read_in: set[str] = set()

        def read(self, size: int | None = -1, /) -> bytes:
            self.read_in.add(threading.current_thread().name.partition("_")[0])
            return super().read(size)

    file = File(b"x" * 200_000)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [("Content-Length", "200000")])
        return environ["wsgi.file_wrapper"](file, 4096)

    sent = request(application, body=[b""])

    assert sent.body == b"x" * 200_000
    assert file.read_in == {"file"}
    assert file.closed


def test_an_access_event_has_no_query() -> None:
    with logged("json") as log:
        request(echo, "POST", b"/a", query=b"token=x", body=[b"abc"], headers=length(3))

    [event] = [it for it in lines_of(log.getvalue()) if it["event"] == "request"]
    facts = {
        name: event[name] for name in ("method", "path", "status", "bytes", "address", "logger")
    }
    assert facts == {
        "method": "POST",
        "path": "/a",
        "status": 200,
        "bytes": 3,
        "address": "198.51.100.7",
        "logger": "granian.access",
    }
    assert event["milliseconds"] > 0
