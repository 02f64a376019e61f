"""A client that remembers its secrets, to search logs and tables for them."""

import base64
import hashlib
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.core import mail
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django_redis import get_redis_connection
from rest_framework.test import APIClient

from authentication.tasks import check_breach
from authentication.tests.conftest import API, deliver_due, token_in

EMAIL = "naomi@example.org"
PASSWORD_FIELDS = ("password", "new_password", "old_password")


def new_password() -> str:
    return f"Canary-{uuid.uuid4().hex}-Q"


class WatchedClient:
    """A client that remembers every secret it sends or receives."""

    def __init__(self) -> None:
        self.api = APIClient()
        self.secrets: dict[str, str] = {}

    def post(
        self, path: str, body: dict[str, Any], expected: int, **headers: str
    ) -> dict[str, Any]:
        for field in PASSWORD_FIELDS:
            if field in body:
                self.keep(field, body[field])
        answer: Any = self.api.post(f"{API}/{path}/", body, headers=headers)
        assert answer.status_code == expected, answer.content
        self.keep("cookie", getattr(self.api.cookies.get("refresh_token"), "value", ""))
        self.api.cookies.clear()
        body_of_answer: dict[str, Any] = answer.json()
        for field in ("access", "refresh", "exchange_token"):
            self.keep(field, body_of_answer.get(field, ""))
        return body_of_answer

    def mailed(self) -> str:
        """Return the token of the newest mail that has one."""
        deliver_due()
        token = token_in([message for message in mail.outbox if "?token=" in str(message.body)][-1])
        return self.keep("mailed", token)

    def keep(self, name: str, secret: str) -> str:
        if secret and secret not in self.secrets.values():
            self.secrets[f"{name} {len(self.secrets)}"] = secret
        return secret

    def found_in(self, text: str) -> list[str]:
        """Return the names of the secrets that a text holds in a reversible spelling."""
        return [
            name
            for name, secret in self.secrets.items()
            if any(it in text for it in spellings(name, secret))
        ]


def spellings(name: str, secret: str) -> Iterator[str]:
    yield secret
    yield urllib.parse.quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    if "password" in name:
        # A password can be guessed from its plain hash, with or without the prefix that is sent.
        sha1 = hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest()
        yield from (sha1[5:], sha1[5:].upper())
    if secret.count(".") == 2:
        yield secret.rpartition(".")[2]


def everything_stored() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- the database's own names
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def everything_cached() -> str:
    cache: Any = caches["default"]
    if isinstance(cache, LocMemCache):
        # The limits are counted in the same cache.
        return "\n".join(repr(item) for item in stored_in(cache))
    server = get_redis_connection("default")
    return "\n".join(f"{key} {server.get(key)}" for key in server.scan_iter("vgf*"))


def stored_in(cache: Any) -> Any:
    return cache._cache.items()


class CaughtTasks:
    """The tasks that would be sent to a worker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[str, ...]]] = []

    def submit(
        self, _: Callable[..., None], task: str, arguments: tuple[str, ...], *rest: object
    ) -> None:
        self.sent.append((task, arguments))

    def run_breach_checks(self) -> None:
        for task, arguments in self.sent:
            if task.endswith("check_breach"):
                check_breach(*arguments)
