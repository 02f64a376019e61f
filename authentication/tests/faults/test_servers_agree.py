"""The same requests give the same environ through granian and through gunicorn."""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from . import rig

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    # The same two servers for all of them.
    pytest.mark.xdist_group("servers agree"),
]

ECHO = "authentication.tests.faults.echo"
# What a server says about itself, and about the connection.
OWN = {
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_SOFTWARE",
    "REMOTE_PORT",
    "RAW_URI",
    "HTTP_HOST",
    "HTTP_CONNECTION",
}


@pytest.fixture(scope="module")
def ports(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """Return the ports of granian and of gunicorn, with an application that answers its environ."""
    ports, log = [rig.free_port(), rig.free_port()], tmp_path_factory.mktemp("echo") / "log"
    commands = [(ECHO,), ("gunicorn", f"{ECHO}:application")]
    with contextlib.ExitStack() as running:
        for port, command in zip(ports, commands, strict=True):
            told = {"PORT": str(port), "WEB_CONCURRENCY": "1"}
            running.enter_context(rig.process(*command, log=log, **told))
        rig.until(
            lambda: all(rig.is_up(port, "/") for port in ports), seconds=60, what="the servers"
        )
        yield ports


def environ_through(port: int, request: bytes) -> dict[str, Any]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    found = json.loads(body)
    return {name: value for name, value in found.items() if name not in OWN}


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/1.1",
        b"GET /a%20b/caf%C3%A9?q=%20&x HTTP/1.1",
        b"GET /a%2Fb//c/../d?%2F HTTP/1.1",
        b"GET /%FF%00 HTTP/1.1",
        b"GET http://elsewhere.example/a?b HTTP/1.1",
        b"OPTIONS /a HTTP/1.1",
        b"DELETE /a HTTP/1.1",
    ],
)
def test_request_lines(ports: list[int], request_line: bytes) -> None:
    request = request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    granian, gunicorn = (environ_through(port, request) for port in ports)

    assert granian == gunicorn


@pytest.mark.parametrize(
    "fields",
    [
        b"X-A: 1\r\nX-A: 2",
        b"X-A:   spaces  around  ",
        b"Cookie: name=caf\xc3\xa9; refresh=x",
        b"User-Agent: \xff\xfe",
        b"X-Real-IP: 192.0.2.9\r\nX_Real_IP: 203.0.113.9\r\nX-Real_IP: 203.0.113.8",
        b"X-Forwarded-For: caf\xc3\xa9, 192.0.2.9\r\nX-Forwarded-For: 192.0.2.10",
        b"Accept:\r\nAuthorization: Bearer a.b.c",
        b"Content-Type: application/json\r\nContent-Length: 0",
    ],
)
def test_header_fields(ports: list[int], fields: bytes) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + b"\r\n\r\n"
    granian, gunicorn = (environ_through(port, request) for port in ports)

    assert granian == gunicorn


@pytest.mark.parametrize("body", [b"{}", b"x" * 65_536, bytes(range(256))])
def test_bodies(ports: list[int], body: bytes) -> None:
    head = f"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
    granian, gunicorn = (environ_through(port, f"{head}\r\n".encode() + body) for port in ports)

    assert granian == gunicorn
    assert granian["body"] == body.decode("latin-1")
