"""Cursors of the activity list that a client makes up."""

import base64
import os
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, User
from authentication.tests.clients import Tokens, get_as
from authentication.tests.conftest import API

ACTIVITY = f"{API}/account/activity/"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))

POSITIONS = st.one_of(
    st.datetimes(timezones=st.timezones()).map(str),
    st.datetimes().map(str),
    st.sampled_from(["", "None", "0", "2026-02-31 00:00:00+00:00", "2026-01-01", "\x00", "now"]),
    st.text(max_size=30),
)
NUMBERS = st.one_of(st.integers().map(str), st.text(max_size=5))
PARTS = st.fixed_dictionaries({}, optional={"p": POSITIONS, "o": NUMBERS, "r": NUMBERS})

pytestmark = [pytest.mark.django_db, pytest.mark.security]


def encoded(parts: dict[str, str]) -> str:
    return base64.b64encode(urlencode(parts).encode()).decode()


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def cursor_status(api: APIClient, tokens: Tokens, cursor: str) -> int:
    api.raise_request_exception = False
    return int(get_as(api, tokens, f"{ACTIVITY}?{urlencode({'cursor': cursor})}").status_code)


@pytest.mark.slow
@given(cursor=st.one_of(PARTS.map(encoded), st.text(max_size=40), st.binary().map(repr)))
@example(cursor=encoded({"p": "x"}))
@example(cursor=encoded({"p": "x", "r": "1"}))
@example(cursor=encoded({"p": "0001-01-01 00:00:00+14:00"}))
@example(cursor=encoded({"p": "9999-12-31 23:59:59-14:00"}))
@example(cursor=encoded({"o": "9" * 30}))
@example(cursor=encoded({"p": "2026-01-01 00:00:00"}))
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_any_cursor_gets_a_page_or_a_404(api: APIClient, signed_in: Tokens, cursor: str) -> None:
    assert cursor_status(api, signed_in, cursor) in {200, 404}


@pytest.mark.parametrize(
    "position", ["x", "", "2026-01-01", "2026-01-01 00:00:00", "0001-01-01 00:00:00+14:00"]
)
def test_a_cursor_without_a_time_is_a_404(api: APIClient, signed_in: Tokens, position: str) -> None:
    assert cursor_status(api, signed_in, encoded({"p": position})) == 404


def test_the_cursors_of_the_service_lead_to_every_event(
    api: APIClient, person: User, signed_in: Tokens
) -> None:
    for _ in range(5):
        AuditLog.objects.create(user=person, event_type="logout")

    seen, url = [], f"{ACTIVITY}?limit=2"
    while url:
        page = get_as(api, signed_in, url).json()
        seen += [event["id"] for event in page["events"]]
        url = page["next"]

    assert len(seen) == len(set(seen)) == AuditLog.objects.filter(user=person).count()
    assert parse_qs(urlsplit(get_as(api, signed_in, f"{ACTIVITY}?limit=2").json()["next"]).query)
