"""Erasing accounts as the scheduled task does, and what an account leaves behind."""

import datetime as dt
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import connection
from rest_framework.test import APIClient

from authentication.models import FailedTask, User
from authentication.services.operations import RetentionService
from authentication.tests.clients import LOGIN, NOON, WRONG_PASSWORD, Tokens
from authentication.tests.conftest import API, CHROME, bearer
from authentication.tests.factories import PASSWORD, UserFactory

GRACE = dt.timedelta(days=14)
ADDRESS = "203.0.113.77"
CANARIES = ("naomi", "Naomi", "Canary", ADDRESS)
"""Words that only the account of `leave_traces` leaves behind."""


def erase_due() -> int:
    """Erase the accounts whose grace is over; return how many were due."""
    return RetentionService.clean("deletions").count


def all_stored_text() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- the database's own names
            found += [str(row) for row in cursor.fetchall()]
    # Django signs and packs its sessions.
    found += [str(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(found)


def all_cached_text() -> str:
    stores = [getattr(caches[name], "_cache", {}) for name in ("default", "limits")]
    return "".join(repr(item) for store in stores for item in store.items())


def stored_canaries() -> list[str]:
    stored = all_stored_text()
    return [canary for canary in CANARIES if canary in stored]


def leave_traces(api: APIClient) -> User:
    """Register an account and use every feature that stores something about its owner."""
    client: Any = {"REMOTE_ADDR": ADDRESS, "HTTP_USER_AGENT": f"{CHROME} Canary"}
    address = {"email": "naomi@example.org"}
    account = {**address, "username": "naomi", "password": PASSWORD, "first_name": "Naomi"}
    api.post(LOGIN, {**address, "password": WRONG_PASSWORD}, **client)
    api.post(
        f"{API}/register/", {**account, "display_name": "Naomi", "terms_accepted": True}, **client
    )
    user: User = User.objects.get(username="naomi")
    User.objects.verify_email(user.pk, at=NOON)
    credentials = {**address, "password": PASSWORD, "device_name": "Naomi"}
    tokens: Tokens = api.post(LOGIN, credentials, **client).json()
    api.cookies.clear()
    owner = bearer(tokens["access"])
    api.post(f"{API}/account/email/", {"email": "naomi@example.net"}, headers=owner, **client)
    api.post(f"{API}/account/export/", headers=owner, **client)
    api.post(f"{API}/token/refresh/", {"refresh": tokens["refresh"]}, **client)
    LogEntry.objects.create(
        user=UserFactory(), object_id=str(user.pk), object_repr="naomi", action_flag=2
    )
    FailedTask.objects.create(
        task="authentication.tasks.check_breach", arguments=[str(user.pk)], error="OSError"
    )
    return user
