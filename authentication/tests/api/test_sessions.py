"""The list of a user's sessions."""

import datetime as dt
import itertools
import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.tests.agents import AGENTS
from authentication.tests.answers import (
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    get_as,
    refreshed,
    set_password,
    sign_in,
    use_access,
)
from authentication.tests.conftest import bearer, queries
from authentication.tests.factories import UserFactory

from .sessions import (
    NOT_FOUND,
    SESSIONS,
    TERMINATE_ALL,
    list_sessions,
    session_id,
    session_url,
    stored_session,
)

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def test_the_list_shows_exactly_these_facts_of_a_session(api: APIClient, person: User) -> None:
    agent = AGENTS["Safari on an iPhone"]
    tokens = sign_in(api, person, headers={"User-Agent": agent.header}, device_name="Ruth's phone")

    answer = get_as(api, tokens, SESSIONS)

    shown = {
        "id": session_id(tokens),
        "device_name": "Ruth's phone",
        "device_type": "mobile",
        "browser": "Safari 18",
        "operating_system": "iOS 18",
        "device_fingerprint": UserSession.objects.get().device_fingerprint,
        "user_agent": agent.header,
        "ip_address": "127.0.0.1",
        "city": "",
        "country": "",
        "is_active": True,
        "is_current": True,
        "created_at": "2026-11-22T12:00:00Z",
        "last_activity_at": "2026-11-22T12:00:00Z",
        "expires_at": "2026-11-29T12:00:00Z",
    }
    assert answer.json() == {"sessions": [shown]}
    assert get_as(api, tokens, session_url(tokens)).json() == shown


def test_neither_tokens_nor_their_identifiers_are_shown(api: APIClient, signed_in: Tokens) -> None:
    newest = refreshed(api, signed_in["refresh"])

    shown = get_as(api, newest, SESSIONS).content.decode()

    session = UserSession.objects.get()
    secrets = (
        session.session_key,
        session.refresh_token_jti,
        session.previous_refresh_token_jti,
        session.access_jti,
    )
    assert not [secret for secret in secrets if secret in shown]


def test_live_sessions_are_listed_with_the_last_used_one_first(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    devices = {}
    for name in ("a", "b", "c", "d", "ended", "expired"):
        devices[name] = sign_in(api, person, device_name=name)
        time_machine.shift(600)
    UserSession.objects.get(device_name="ended").deactivate()
    UserSession.objects.filter(device_name="expired").update(
        expires_at=F("created_at") + dt.timedelta(seconds=1)
    )
    refreshed(api, devices["b"]["refresh"])
    time_machine.shift(1)

    shown = list_sessions(api, sign_in(api, person, device_name="now"))

    assert [session["device_name"] for session in shown] == ["now", "b", "d", "c", "a"]
    assert all(session["is_active"] for session in shown)


def test_the_session_of_the_access_token_is_the_current_one(api: APIClient, person: User) -> None:
    first, second = sign_in(api, person), sign_in(api, person)
    rotated = refreshed(api, first["refresh"])

    current = [
        [session["id"] for session in list_sessions(api, tokens) if session["is_current"]]
        for tokens in (first, second, rotated)
    ]

    assert current == [[session_id(tokens)] for tokens in (first, second, rotated)]


def test_the_sessions_of_other_users_are_not_listed(api: APIClient, signed_in: Tokens) -> None:
    other = sign_in(api, UserFactory())

    assert [session["id"] for session in list_sessions(api, signed_in)] == [session_id(signed_in)]
    assert [session["id"] for session in list_sessions(api, other)] == [session_id(other)]


def test_sessions_from_before_a_new_password_are_not_listed(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    sign_in(api, person, device_name="before")
    time_machine.shift(60)
    set_password(person)

    shown = list_sessions(api, sign_in(api, person, password=NEW_PASSWORD, device_name="after"))

    assert [session["device_name"] for session in shown] == ["after"]


def test_a_list_of_any_length_costs_at_most_two_queries(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    tokens = [sign_in(api, person) for _ in range(12)][-1]
    use_access(api, tokens)
    time_machine.shift(1)

    with CaptureQueriesContext(connection) as captured:
        shown = list_sessions(api, tokens)

    assert len(shown) == 12
    assert len(queries(captured)) <= 2, queries(captured)


@pytest.mark.parametrize("kind", AGENTS)
def test_a_device_without_a_name_is_named_by_its_user_agent(
    api: APIClient, person: User, kind: str
) -> None:
    agent = AGENTS[kind]

    tokens = sign_in(api, person, headers={"User-Agent": agent.header})

    (shown,) = list_sessions(api, tokens)
    names = ("device_name", "device_type", "browser", "operating_system", "user_agent")
    assert [shown[name] for name in names] == [
        agent.name,
        agent.type,
        agent.browser,
        agent.system,
        agent.header,
    ]


def test_a_long_user_agent_is_cut_to_the_length_of_its_column(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person, headers={"User-Agent": "\x07\u202e" + "y" * 5000})

    (shown,) = list_sessions(api, tokens)
    assert shown["user_agent"] == ("\ufffd\ufffd" + "y" * 5000)[:512]


def test_two_sign_ins_on_a_device_have_the_same_fingerprint(api: APIClient, person: User) -> None:
    chrome, safari = AGENTS["Chrome on Windows"].header, AGENTS["Safari on an iPhone"].header
    updated = chrome.replace("131", "132")

    device = sign_in(api, person, headers={"User-Agent": chrome})["device_id"]
    sign_in(api, person, headers={"User-Agent": safari})
    tokens = sign_in(api, person, headers={"User-Agent": updated, "X-Device-Id": device})

    prints = {
        session["user_agent"]: session["device_fingerprint"]
        for session in list_sessions(api, tokens)
    }
    assert prints[chrome] == prints[updated] != prints[safari]


def test_another_live_session_is_shown(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)

    answer = get_as(api, here, session_url(there))

    assert (answer.status_code, answer.json()["id"], answer.json()["is_current"]) == (
        200,
        session_id(there),
        False,
    )


def end(session: UserSession) -> None:
    session.deactivate()


def expire(session: UserSession) -> None:
    UserSession.objects.filter(pk=session.pk).update(
        created_at=NOON - dt.timedelta(days=8), expires_at=NOON - dt.timedelta(seconds=1)
    )


def give_away(session: UserSession) -> None:
    UserSession.objects.filter(pk=session.pk).update(user=UserFactory())


def delete(session: UserSession) -> None:
    session.delete()


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("change", [end, expire, give_away, delete])
def test_an_ended_or_foreign_session_is_not_found(
    api: APIClient, person: User, method: str, change: Any
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    change(stored_session(there))
    use_access(api, here)
    before = rows()

    answer = getattr(api, method)(session_url(there), headers=bearer(here["access"]))

    assert refusal_of(answer) == NOT_FOUND
    assert cookie_of(answer) is None
    assert rows() == before


def test_an_unknown_or_malformed_id_is_not_found(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False
    names = [str(uuid.UUID(int=0)), "mine", "1", "terminate-all2"]

    answers = {
        (method, name): api.generic(
            method, f"{SESSIONS}{name}/", headers=bearer(signed_in["access"])
        )
        for method, name in itertools.product(["GET", "DELETE"], names)
    }

    assert {case: refusal_of(answer) for case, answer in answers.items()} == dict.fromkeys(
        answers, NOT_FOUND
    )


CALLS = [
    ("get", SESSIONS),
    ("get", f"{SESSIONS}{uuid.UUID(int=0)}/"),
    ("delete", f"{SESSIONS}{uuid.UUID(int=0)}/"),
    ("post", TERMINATE_ALL),
]


@pytest.mark.parametrize(("method", "url"), CALLS)
def test_a_request_without_a_session_is_refused(
    api: APIClient, signed_in: Tokens, method: str, url: str
) -> None:
    before = rows()

    answer = getattr(api, method)(url)

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "method", "url"), [("sessions", *CALLS[0]), ("sessions_terminate_all", *CALLS[3])]
)
def test_the_rate_limit_counts_by_session(
    api: APIClient, settings: Settings, db: None, name: str, method: str, url: str
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, name: "1/h"}
    ruth, naomi = sign_in(api, UserFactory()), sign_in(api, UserFactory())

    answers = [
        getattr(api, method)(url, headers=bearer(tokens["access"]))
        for tokens in (ruth, naomi, ruth)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert_problem(answers[2], 429, "rate_limited")
