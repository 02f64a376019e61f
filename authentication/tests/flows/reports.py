"""Requests with marked secrets, and a search for them in error reports."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import sentry_sdk
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from authentication.tests.conftest import bearer
from vineyard_group_fellowship.handler import ServiceHandler

# A report quotes lines of code around a fault, so that literals of this file cannot be canaries.
CANARIES = {
    name: f"{name}{uuid.uuid4().hex}"
    for name in ("password", "token", "query", "cookie", "agent", "name", "note", "path")
}
CANARIES["email"] = f"{uuid.uuid4().hex}@example.org"
CANARIES["username"] = f"u{uuid.uuid4().hex[:24]}"
CANARIES["address"] = "203.0.113.77"
CSRF = "c" * 32


class CapturingTransport(Transport):
    """Keeps the reports that would be sent."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    def sent(self) -> str:
        sentry_sdk.flush()
        return b"\n".join(envelope.serialize() for envelope in self.envelopes).decode()

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the errors ("event") or traces ("transaction") among them."""
        sentry_sdk.flush()
        found = [
            item for envelope in self.envelopes for item in envelope.items if item.type == kind
        ]
        return [json.loads(item.get_bytes()) for item in found]

    def leaked_canaries(self, **more: str) -> list[str]:
        """Return the names of the canaries that the reports contain."""
        sent = self.sent()
        return [name for name, canary in {**CANARIES, **more}.items() if canary in sent]


Answer = tuple[int, dict[str, str], bytes]


def send_request(
    method: str, path: str, body: dict[str, str] | None = None, access: str = ""
) -> Answer:
    """Send a request with canaries as a server does; the test client would not be traced."""
    # The connection of the test's transaction must stay open.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    started: list[Any] = []
    headers = {
        "User-Agent": CANARIES["agent"],
        "Referer": f"https://www.example.org/?token={CANARIES['token']}",
        "Cookie": "; ".join(
            [
                f"refresh_token={CANARIES['cookie']}",
                f"sessionid={CANARIES['cookie']}",
                f"csrftoken={CSRF}",
            ]
        ),
        "X-CSRFToken": CSRF,
        **(bearer(access) if access else {}),
    }
    factory = RequestFactory(headers=headers, REMOTE_ADDR=CANARIES["address"])
    query = f"token={CANARIES['query']}"
    request = factory.generic(
        method, path, json.dumps(body or {}), "application/json", QUERY_STRING=query
    )
    handler: Any = ServiceHandler()
    answer = handler(request.environ, lambda *head: started.append(head))
    content = b"".join(answer)
    answer.close()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    [(status, headers)] = started
    return int(status.split()[0]), dict(headers), content


def crash(*_: object, **given: Any) -> None:
    """Raise an error that quotes everything, as a database's errors do."""
    quoted = dict(CANARIES)
    try:
        raise LookupError(CANARIES["name"])
    except LookupError as error:
        raise RuntimeError(f"{given} {quoted}\nDETAIL: {quoted}") from error


class CrashingService:
    """A service of which every method crashes."""

    __call__ = staticmethod(crash)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return crash


def path_of(route: str) -> str:
    for mark in ("<id:session_id>", "<id:event_id>"):
        route = route.replace(mark, str(uuid.uuid4()))
    return f"/{route}".replace("<slug:code>", CANARIES["path"]).replace(
        "^api(/|$)", f"api/{CANARIES['path']}/"
    )
