"""Sign-ins beside each other, disabling, and other ends of sessions."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.services.audit import Event
from authentication.services.sign_in.opening import Opening, SignedIn, open_at_once, open_session
from authentication.tests.clients import (
    another_password,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import PASSWORD
from authentication.tests.faults import rig
from authentication.utils.client import ClientInfo

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

URL = f"{API}/login/"
CROWD = 12


def test_concurrent_sign_ins_respect_max_active_sessions(person: User, settings: Settings) -> None:
    settings.MAX_ACTIVE_SESSIONS = 3

    settings.ACCOUNT_LOCKOUT_THRESHOLD = CROWD + 1

    answers = posts(CROWD, URL, lambda _: {"email": person.email, "password": PASSWORD})

    assert statuses(answers) == {200: CROWD}
    assert UserSession.objects.filter(is_active=True).count() == 3
    assert UserSession.objects.filter(end_reason="evicted").count() == CROWD - 3
    assert TokenBlacklist.objects.filter(reason="evicted").count() == CROWD - 3
    assert AuditLog.objects.filter(event_type="session_evicted").count() == CROWD - 3


def is_awaited() -> bool:
    """Return whether another connection waits for a row of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


def test_a_sign_in_that_waited_for_another_counts_its_session(
    person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 1
    opening, now = Opening(Event.LOGIN), timezone.now()

    def open_beside() -> SignedIn | None:
        try:
            return open_at_once(person, opening, client=ClientInfo(), at=now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            open_session(User.objects.get(), opening, client=ClientInfo(), at=now)
            beside = pool.submit(open_beside)
            rig.until(is_awaited, what="the other sign-in to wait for the account's row")
        assert beside.result() is None

    assert UserSession.objects.count() == 1


def change_password(other: dict[str, str]) -> int:
    body = {"old_password": PASSWORD, "new_password": another_password()}
    return int(
        APIClient()
        .post(f"{API}/password/change/", body, headers=bearer(other["access"]))
        .status_code
    )


def log_in(email: str) -> Any:
    return APIClient().post(URL, {"email": email, "password": PASSWORD})


def deactivate(other: dict[str, str]) -> int:
    return 200 if User.objects.update(is_active=False) else 404


@pytest.mark.parametrize("stop", [change_password, deactivate])
def test_a_sign_in_at_the_moment_it_should_be_stopped_leaves_no_live_token(
    api: APIClient, person: User, stop: Callable[[dict[str, str]], int]
) -> None:
    for _ in range(4):
        User.objects.update(is_active=True)
        set_password(person, PASSWORD)
        other = sign_in(api, person)

        stopped, *answers = all_at_once(partial(stop, other), *[partial(log_in, person.email)] * 3)

        assert stopped == 200
        assert set(statuses(answers)) <= {200, 401, 403}
        opened = [answer.json() for answer in answers if answer.status_code == 200]
        assert [use_access(api, tokens) for tokens in opened] == [401] * len(opened)
        assert [use_refresh(api, tokens) for tokens in opened] == [401] * len(opened)
