"""The measured operations of the service and of the baseline."""

import contextlib
import json
from collections.abc import Iterable
from typing import Any

from .load import Call, Client, Operation, Script, connect, send
from .servers import Server

# So many that no account reaches its session limit, where each sign-in also ends a session.
_SIGN_IN_ACCOUNTS = 16
ACCOUNTS = _SIGN_IN_ACCOUNTS + 2
"""The accounts per client: one for reading, one for refreshing, the rest for signing in."""

BARE, STOCK_REFRESH = "bare view", "stock refresh"
PROFILE, VERIFY, REFRESH, LOGIN = "authenticated GET", "token verify", "refresh", "login"

_AUTH = "/api/v1/auth"
_HEADERS = {"User-Agent": "Vineyard/1.0 (Android 15; Pixel 9) okhttp/4.12.0"}

Credentials = dict[str, str]


def baseline_operations(server: Server, tokens: list[Credentials]) -> list[Operation]:
    """Return the baseline's operations, with one pair of tokens for each client."""
    views = [Client(_repeating(_get("/me/", pair["access"]))) for pair in tokens]
    refreshes = [Client(_repeating(_post("/refresh/", refresh=pair["refresh"]))) for pair in tokens]
    return [Operation(BARE, server, views), Operation(STOCK_REFRESH, server, refreshes)]


def service_operations(server: Server, accounts: list[Credentials]) -> list[Operation]:
    """Return the service's operations, with ACCOUNTS accounts for each client."""
    shares = [accounts[first : first + ACCOUNTS] for first in range(0, len(accounts), ACCOUNTS)]
    readers = [_signed_in(server, own[0]) for own in shares]
    scripts: dict[str, Iterable[Script]] = {
        PROFILE: (_repeating(_get("/api/v1/profiles/me/", pair["access"])) for pair in readers),
        VERIFY: (
            _repeating(_post(f"{_AUTH}/token/verify/", token=pair["access"])) for pair in readers
        ),
        REFRESH: (_refreshing(_signed_in(server, own[1])["refresh"]) for own in shares),
        LOGIN: (_signing_in(own[2:]) for own in shares),
    }
    return [
        Operation(name, server, [Client(script) for script in each])
        for name, each in scripts.items()
    ]


def _signed_in(server: Server, account: Credentials) -> Any:
    with contextlib.closing(connect(server)) as connection:
        return json.loads(send(connection, _login(account)).body)


def _repeating(call: Call) -> Script:
    while True:
        yield call


def _refreshing(token: str) -> Script:
    while True:
        answer = yield _post(f"{_AUTH}/token/refresh/", refresh=token)
        token = json.loads(answer.body)["refresh"]


def _signing_in(accounts: list[Credentials]) -> Script:
    while True:
        for account in accounts:
            yield _login(account)


def _login(account: Credentials) -> Call:
    return _post(f"{_AUTH}/login/", **account)


def _get(path: str, access: str) -> Call:
    return Call("GET", path, headers={**_HEADERS, "Authorization": f"Bearer {access}"})


def _post(path: str, **body: str) -> Call:
    return Call(
        "POST", path, json.dumps(body).encode(), {**_HEADERS, "Content-Type": "application/json"}
    )
