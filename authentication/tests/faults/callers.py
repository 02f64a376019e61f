"""Requests to a server that a test has started."""

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

from authentication.models import User
from authentication.tests.factories import PASSWORD

from . import rig

AUTH = "/api/v1/auth"

Answered = tuple[int, Any, Mapping[str, str]]


class Caller:
    """Sends requests to a server on a port of this machine, each on a new connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answered:
        answer = rig.asked(self.port, method, f"{AUTH}{path}", body)
        return answer.status, answer.json(), answer.headers

    def text(self, path: str) -> str:
        return rig.asked(self.port, "GET", path).content.decode()

    def answers(self, path: str) -> bool:
        return rig.is_up(self.port, f"{AUTH}{path}")

    def is_up(self) -> bool:
        return rig.is_up(self.port)

    def sign_in(self, person: User) -> Answered:
        return self.ask("POST", "/login/", {"email": person.email, "password": PASSWORD})


Serve = Callable[..., tuple[Caller, "subprocess.Popen[bytes]"]]
