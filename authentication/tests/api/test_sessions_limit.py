"""A user has at most MAX_ACTIVE_SESSIONS sessions."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.clients import (
    NOON,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import queries
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of

from .sessions import (
    session_id,
    stored_session,
)

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def test_a_session_above_the_limit_ends_the_one_idle_longest(
    time_machine: TimeMachineFixture, api: APIClient, person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 3
    devices = []
    for _ in range(3):
        devices.append(sign_in(api, person))
        time_machine.shift(600)
    devices[0] = refreshed(api, devices[0]["refresh"])

    newest = sign_in(api, person)

    assert [use_refresh(api, tokens) for tokens in (*devices, newest)] == [200, 401, 200, 200]
    evicted = stored_session(devices[1])
    assert (evicted.is_active, evicted.end_reason) == (False, "evicted")
    assert (
        TokenBlacklist.objects.get(jti=claims_of(devices[1]["refresh"])["jti"]).reason == "evicted"
    )
    event = AuditLog.objects.get(event_type="session_evicted")
    assert (event.user_id, event.metadata) == (person.pk, {"session": session_id(devices[1])})


def test_ended_and_expired_sessions_and_other_users_sessions_are_not_counted(
    api: APIClient, person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 2
    kept, ended = sign_in(api, person), sign_in(api, person)
    stored_session(ended).deactivate("logout")
    expired = sign_in(api, person)
    UserSession.objects.filter(pk=session_id(expired)).update(
        created_at=NOON - dt.timedelta(days=8), expires_at=NOON - dt.timedelta(seconds=1)
    )
    for _ in range(3):
        sign_in(api, UserFactory())

    newest = sign_in(api, person)

    assert [use_access(api, tokens) for tokens in (kept, newest)] == [200, 200]
    assert not AuditLog.objects.filter(event_type="session_evicted").exists()


def test_a_lowered_limit_ends_every_session_above_it(
    time_machine: TimeMachineFixture, api: APIClient, person: User, settings: Settings
) -> None:
    devices = []
    for _ in range(5):
        devices.append(sign_in(api, person))
        time_machine.shift(1)
    settings.MAX_ACTIVE_SESSIONS = 2

    newest = sign_in(api, person)

    assert [use_access(api, tokens) for tokens in (*devices, newest)] == [
        401,
        401,
        401,
        401,
        200,
        200,
    ]
    assert AuditLog.objects.filter(event_type="session_evicted").count() == 4


def test_ending_many_sessions_costs_no_statement_each(
    api: APIClient, person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 2
    # The first sign-in of an account mails nobody.
    sign_in(api, person)
    counts, expires_at = [], NOON + dt.timedelta(days=1)
    for live in (4, 40):
        UserSession.objects.bulk_create(
            UserSession(user=person, expires_at=expires_at) for _ in range(live)
        )
        with CaptureQueriesContext(connection) as captured:
            sign_in(api, person)
        counts.append(len(queries(captured)))

    assert counts[0] == counts[1]
