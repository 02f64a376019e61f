"""Which refreshes the audit log has: not each, for no decision reads them."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, UserSession
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import API
from authentication.utils.metrics import TOKENS_REFRESHED

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]
PHONE, LAPTOP = "Mozilla/5.0 (iPhone)", "Mozilla/5.0 (X11; Linux x86_64)"
HOUR, DAY = 3600, 86_400

Refresh = Callable[..., None]


@pytest.fixture
def refresh(time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens) -> Refresh:
    """Return a function that refreshes after so many seconds, as a client."""
    token = signed_in["refresh"]

    def ask(seconds: int, *, address: str = "203.0.113.5", agent: str = PHONE) -> None:
        nonlocal token
        time_machine.shift(seconds)
        client: dict[str, Any] = {"REMOTE_ADDR": address, "HTTP_USER_AGENT": agent}
        answer = api.post(f"{API}/token/refresh/", {"refresh": token}, **client)
        assert answer.status_code == 200, answer.content
        token = answer.json()["refresh"]

    return ask


def recorded() -> int:
    return AuditLog.objects.filter(event_type="token_refresh").count()


def test_one_a_day(refresh: Refresh) -> None:
    counts = []
    for seconds in (HOUR, HOUR, HOUR, DAY, HOUR, DAY):
        refresh(seconds)
        counts.append(recorded())

    assert counts == [1, 1, 1, 2, 2, 3]


def test_one_for_each_change_of_network(refresh: Refresh) -> None:
    for address in ("203.0.113.5", "203.0.113.6", "203.0.113.6", "203.0.113.5"):
        refresh(HOUR, address=address)

    assert recorded() == 3


def test_addresses_of_one_ipv6_network_are_one(refresh: Refresh) -> None:
    for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::2"):
        refresh(HOUR, address=address)

    assert recorded() == 2


def test_one_for_each_change_of_user_agent(refresh: Refresh) -> None:
    for agent in (PHONE, LAPTOP, LAPTOP):
        refresh(HOUR, agent=agent)

    assert recorded() == 2


def test_each_is_counted_in_the_metrics(
    refresh: Refresh, django_capture_on_commit_callbacks: Any
) -> None:
    before = TOKENS_REFRESHED._value.get()

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(4):
            refresh(HOUR)

    assert TOKENS_REFRESHED._value.get() - before == 4


def test_the_client_is_stored_as_a_keyed_hash(refresh: Refresh) -> None:
    refresh(HOUR)

    stored = UserSession.objects.get().last_client_digest
    assert len(stored) == 64
    assert "203.0.113" not in stored
