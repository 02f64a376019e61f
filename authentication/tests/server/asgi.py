"""Requests to the adapter, without a server."""

import asyncio
import dataclasses
from collections.abc import Iterable
from typing import Any

from vineyard_group_fellowship.server.adapter import WsgiAdapter

Headers = list[tuple[bytes, bytes]]
HOST: Headers = [(b"host", b"auth.example.org")]


@dataclasses.dataclass
class Sent:
    """What the adapter sent to the client."""

    messages: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {
            name.decode(): value.decode("latin-1") for name, value in self.messages[0]["headers"]
        }

    @property
    def blocks(self) -> list[bytes]:
        return [it["body"] for it in self.messages[1:]]

    @property
    def body(self) -> bytes:
        return b"".join(self.blocks)


def request(
    application: Any,
    method: str = "GET",
    path: bytes = b"/",
    *,
    query: bytes = b"",
    headers: Headers = HOST,
    body: Iterable[bytes] = (),
    breaks: bool = False,
    hangs: bool = False,
    leaves: bool = False,
    version: str = "1.1",
) -> Sent:
    """Send a request through an adapter of the application.

    `body` are the parts in which it arrives. It `breaks` if the connection ends in its middle, and
    `hangs` if the rest never comes. The client `leaves` before it has
    read the response.
    """
    adapter = (
        application
        if isinstance(application, WsgiAdapter)
        else WsgiAdapter(application, threads=1, body_limit=1000)
    )
    parts = list(body)
    sent = Sent()

    async def receive() -> dict[str, Any]:
        if parts:
            part = parts.pop(0)
            return {
                "type": "http.request",
                "body": part,
                "more_body": bool(parts or breaks or hangs),
            }
        if hangs or not (breaks or leaves):
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.messages.append(message)

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "http_version": version,
        "scheme": "http",
        "client": ("198.51.100.7", "50000"),
        "server": ("192.0.2.1", "8002"),
        "root_path": "",
    }
    asyncio.run(adapter(scope, receive, send))
    return sent
