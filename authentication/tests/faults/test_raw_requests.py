"""Malformed HTTP, sent to the server's socket."""

import contextlib
import socket
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from authentication.models import AuditLog

from . import rig

pytestmark = [
    pytest.mark.services,
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
    # One server for all of them.
    pytest.mark.xdist_group("raw requests"),
]

LOGIN = (
    "POST /api/v1/auth/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: application/json\r\nConnection: close\r\n"
)
BODY = '{"email": "nobody@example.org", "password": "Wrong-Horse-9"}'


Server = tuple[int, "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module", params=[rig.SERVER, rig.GUNICORN], ids=["granian", "gunicorn"])
def server(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """Return the port and the process of a server that reads the client's address from X-Real-IP.

    The requests of all tests go to one server: it keeps nothing of any of them in its memory.
    """
    port, log = rig.free_port(), tmp_path_factory.mktemp("server") / "log"
    settings = {"PORT": str(port), "WEB_CONCURRENCY": "1", "CLIENT_IP_HEADER": "X-Real-IP"}
    with rig.process(*request.param, log=log, **settings) as process:
        rig.until(lambda: rig.is_up(port), seconds=40, what="the server")
        yield port, process


@pytest.fixture
def port(server: Server) -> Iterator[int]:
    """Return the server's port; afterwards check that the server has not ended."""
    port, process = server
    yield port
    assert process.poll() is None
    assert rig.is_up(port)


def said(port: int, request: str) -> bytes:
    """Return everything the server says to some bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        answer = b""
        with contextlib.suppress(ConnectionError, TimeoutError):
            while chunk := connection.recv(65_536):
                answer += chunk
    return answer


def untried(body: str) -> str:
    """Return a body with a name that no test has tried: the servers of all tests count together."""
    return body.replace("nobody", uuid.uuid4().hex)


def chunked(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n0\r\n\r\n"


@pytest.mark.parametrize("server", [rig.SERVER], indirect=True, ids=["granian"])
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (BODY, b"HTTP/1.1 401"),
        ("{" + " " * 100_000 + "}", b"HTTP/1.1 413"),
        ("{}x", b"HTTP/1.1 400"),
    ],
    ids=["small", "large", "malformed"],
)
def test_a_chunked_body_is_read_like_any_other(port: int, body: str, answer: bytes) -> None:
    sent = chunked(untried(body))

    said_back = said(port, f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n{sent}")

    assert said_back.startswith(answer)
    assert b"application/problem+json" in said_back


@pytest.mark.parametrize("server", [rig.SERVER], indirect=True, ids=["granian"])
@pytest.mark.parametrize("end", ["zz\r\n", "5\r\nab", "0\r\nX"])
def test_a_chunked_body_without_its_end_does_nothing(port: int, end: str) -> None:
    answer = said(
        port, f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n{len(BODY):x}\r\n{BODY}\r\n{end}"
    )

    assert answer == b"" or answer.split(b" ", 2)[1] in {b"400", b"408"}
    assert not AuditLog.objects.exists()


@pytest.mark.parametrize("server", [rig.SERVER], indirect=True, ids=["granian"])
def test_a_chunked_request_hides_no_second_one(port: int) -> None:
    hidden = "GET /api/v1/auth/csrf/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    keeps = LOGIN.replace("Connection: close\r\n", "")
    lengths = f"Content-Length: {len(BODY) + 500}\r\nTransfer-Encoding: chunked\r\n"

    answer = said(port, f"{keeps}{lengths}\r\n{chunked(BODY)}{hidden}")

    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("body", "status"), [(BODY, 401), ("{" + " " * 100_000 + "}", 413)], ids=["small", "large"]
)
def test_a_chunked_body_is_read_up_to_the_limit(port: int, body: str, status: int) -> None:
    sent = chunked(untried(body))

    answer = said(port, f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n{sent}")

    assert answer.startswith(f"HTTP/1.1 {status}".encode())
    assert AuditLog.objects.exists() == (status == 401)


@pytest.mark.parametrize("server", [rig.GUNICORN], indirect=True, ids=["gunicorn"])
@pytest.mark.parametrize(
    "chunks",
    ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}x\r\n", "-2\r\n{}\r\n", "2;\r\n{}\n0\n\n"],
    ids=ascii,
)
def test_a_malformed_chunk_is_a_malformed_request(port: int, chunks: str) -> None:
    answer = said(port, f"{LOGIN}Transfer-Encoding: chunked\r\n\r\n{chunks}")

    assert answer.startswith(b"HTTP/1.1 400")
    assert not AuditLog.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        f"Content-Length: {len(BODY)}\r\nTransfer-Encoding: chunked\r\n",
        f"Content-Length: {len(BODY)}\r\nContent-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: many\r\n",
        f"Content-Length : {len(BODY)}\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        f"Content-Length: {len(BODY)}\r\nX-Note: a\rb\r\n",
        f"Content-Length: {len(BODY)}\r\nX-Note: a\x00b\r\n",
        f"Content-Length: {len(BODY)}\r\nX-Long: {'x' * 20_000}\r\n",
    ],
)
def test_ambiguous_requests_are_refused(port: int, headers: str) -> None:
    answer = said(port, f"{LOGIN}{headers}\r\n{BODY}")

    assert answer == b"" or answer.split(b" ", 2)[1] in {b"400", b"411", b"431", b"501"}, answer[
        :200
    ]
    assert not AuditLog.objects.exists()


def test_a_length_that_is_too_small_gives_half_a_body_and_no_second_request(port: int) -> None:
    answer = said(port, f"{LOGIN}Content-Length: 10\r\n\r\n{BODY}")

    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("name", ["X_Real_IP", "X-REAL_IP", "X_REAL-IP"])
def test_misspelled_x_real_ip_is_ignored(port: int, name: str) -> None:
    lines = f"X-Real-IP: 198.51.100.7\r\n{name}: 203.0.113.9\r\nContent-Length: {len(BODY)}\r\n"

    said(port, f"{LOGIN}{lines}\r\n{BODY}")

    assert set(AuditLog.objects.values_list("ip_address", flat=True)) <= {"198.51.100.7"}


def test_the_edges_header_twice_is_no_address(port: int) -> None:
    lines = f"X-Real-IP: 198.51.100.7\r\nX-Real-IP: 203.0.113.9\r\nContent-Length: {len(BODY)}\r\n"

    said(port, f"{LOGIN}{lines}\r\n{BODY}")

    assert set(AuditLog.objects.values_list("ip_address", flat=True)) <= {None}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get"])
def test_odd_methods_do_nothing(port: int, method: str) -> None:
    answer = said(
        port,
        f"{method} /api/v1/auth/csrf/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    )

    assert answer.split(b" ", 2)[1] in {b"400", b"403", b"405", b"501"}, answer[:200]
