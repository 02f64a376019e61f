"""The measured operations of the service and of the yardstick."""

import contextlib
import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from .load import Call, Client, Operation, Script, connect, send
from .servers import Server

# So many that no account reaches its session limit, where each sign-in also ends a session.
_SIGN_IN_ACCOUNTS = 16
ACCOUNTS = _SIGN_IN_ACCOUNTS + 2
"""The accounts per client: one for reading, one for refreshing, the rest for signing in."""

STOCK = "stock "
PROFILE, VERIFY, REFRESH, LOGIN = "authenticated GET", "token verify", "refresh", "login"

_HEADERS = {"User-Agent": "Vineyard/1.0 (Android 15; Pixel 9) okhttp/4.12.0"}

Credentials = dict[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """Where a project answers the measured operations."""

    profile: str
    verify: str
    refresh: str
    login: str


YARDSTICK = Paths("/profile/", "/verify/", "/refresh/", "/login/")
_AUTH = "/api/v1/auth"
SERVICE = Paths(
    "/api/v1/profiles/me/",
    f"{_AUTH}/token/verify/",
    f"{_AUTH}/token/refresh/",
    f"{_AUTH}/login/",
)


def operations(
    server: Server, accounts: list[Credentials], at: Paths, *, prefix: str = ""
) -> list[Operation]:
    """Return a project's operations, with ACCOUNTS accounts for each client."""
    shares = [accounts[first : first + ACCOUNTS] for first in range(0, len(accounts), ACCOUNTS)]
    readers = [_signed_in(server, at, own[0]) for own in shares]
    scripts: dict[str, Iterable[Script]] = {
        PROFILE: (_repeating(_get(at.profile, pair["access"])) for pair in readers),
        VERIFY: (_repeating(_post(at.verify, token=pair["access"])) for pair in readers),
        REFRESH: (_refreshing(at, _signed_in(server, at, own[1])["refresh"]) for own in shares),
        LOGIN: (_signing_in(at, own[2:]) for own in shares),
    }
    return [
        Operation(f"{prefix}{name}", server, [Client(script) for script in each])
        for name, each in scripts.items()
    ]


def _signed_in(server: Server, at: Paths, account: Credentials) -> Any:
    with contextlib.closing(connect(server)) as connection:
        return json.loads(send(connection, _post(at.login, **account)).body)


def _repeating(call: Call) -> Script:
    while True:
        yield call


def _refreshing(at: Paths, token: str) -> Script:
    while True:
        answer = yield _post(at.refresh, refresh=token)
        token = json.loads(answer.body)["refresh"]


def _signing_in(at: Paths, accounts: list[Credentials]) -> Script:
    while True:
        for account in accounts:
            yield _post(at.login, **account)


def _get(path: str, access: str) -> Call:
    return Call("GET", path, headers={**_HEADERS, "Authorization": f"Bearer {access}"})


def _post(path: str, **body: str) -> Call:
    return Call(
        "POST", path, json.dumps(body).encode(), {**_HEADERS, "Content-Type": "application/json"}
    )
