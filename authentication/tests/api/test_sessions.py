"""/api/v1/auth/sessions/: the devices a person is signed in on."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.agents import AGENTS
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of, rows
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    refreshed,
    set_password,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, BROWSER, bearer, queries
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of

URL = f"{API}/sessions/"
TERMINATE_ALL = f"{URL}terminate-all/"
NOT_FOUND = {
    "type": "/api/problems/not_found/",
    "title": "Not found",
    "status": 404,
    "detail": "There is nothing here.",
    "code": "not_found",
    "error": "There is nothing here.",
    "WWW-Authenticate": None,
}

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def id_of(tokens: Tokens) -> str:
    return str(claims_of(tokens["refresh"])["sid"])


def url_of(tokens: Tokens) -> str:
    return f"{URL}{id_of(tokens)}/"


def listed(api: APIClient, tokens: Tokens) -> list[dict[str, Any]]:
    answer = api.get(URL, headers=bearer(tokens["access"]))
    assert answer.status_code == 200, answer.content
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


# The list.


def test_a_session_is_shown_with_exactly_these_facts(api: APIClient, person: User) -> None:
    agent = AGENTS["Safari on an iPhone"]
    tokens = sign_in(api, person, headers={"User-Agent": agent.header}, device_name="Ruth's phone")

    answer = api.get(URL, headers=bearer(tokens["access"]))

    shown = {
        "id": id_of(tokens),
        "device_name": "Ruth's phone",
        "device_type": "mobile",
        "browser": "Mobile Safari 18",
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
    assert api.get(url_of(tokens), headers=bearer(tokens["access"])).json() == shown


def test_neither_tokens_nor_their_identifiers_are_shown(api: APIClient, signed_in: Tokens) -> None:
    newest = refreshed(api, signed_in["refresh"])

    shown = api.get(URL, headers=bearer(newest["access"])).content.decode()

    session = UserSession.objects.get()
    secrets = (
        session.session_key,
        session.refresh_token_jti,
        session.previous_refresh_token_jti,
        session.access_jti,
    )
    assert not [secret for secret in secrets if secret in shown]


def test_live_sessions_alone_are_listed_the_one_used_last_first(
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

    shown = listed(api, sign_in(api, person, device_name="now"))

    assert [session["device_name"] for session in shown] == ["now", "b", "d", "c", "a"]
    assert all(session["is_active"] for session in shown)


def test_the_current_session_is_told_by_the_token_that_asks(api: APIClient, person: User) -> None:
    first, second = sign_in(api, person), sign_in(api, person)
    rotated = refreshed(api, first["refresh"])

    for asking in (first, second, rotated):
        current = [session["id"] for session in listed(api, asking) if session["is_current"]]
        assert current == [id_of(asking)]


def test_nobody_elses_sessions_are_listed(api: APIClient, signed_in: Tokens) -> None:
    other = sign_in(api, UserFactory())

    assert [session["id"] for session in listed(api, signed_in)] == [id_of(signed_in)]
    assert [session["id"] for session in listed(api, other)] == [id_of(other)]


def test_sessions_that_a_new_password_has_outdated_are_not_listed(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    sign_in(api, person, device_name="before")
    time_machine.shift(60)
    set_password(person)

    shown = listed(api, sign_in(api, person, password=NEW_PASSWORD, device_name="after"))

    assert [session["device_name"] for session in shown] == ["after"]


def test_the_list_costs_at_most_two_queries_however_long_it_is(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    tokens = [sign_in(api, person) for _ in range(12)][-1]
    use_access(api, tokens)
    time_machine.shift(1)

    with CaptureQueriesContext(connection) as captured:
        shown = listed(api, tokens)

    assert len(shown) == 12
    assert len(queries(captured)) <= 2, queries(captured)


@pytest.mark.parametrize("kind", AGENTS)
def test_a_device_without_a_name_is_named_by_its_user_agent(
    api: APIClient, person: User, kind: str
) -> None:
    agent = AGENTS[kind]

    tokens = sign_in(api, person, headers={"User-Agent": agent.header})

    (shown,) = listed(api, tokens)
    names = ("device_name", "device_type", "browser", "operating_system", "user_agent")
    assert [shown[name] for name in names] == [
        agent.name,
        agent.type,
        agent.browser,
        agent.system,
        agent.header,
    ]


def test_a_user_agent_of_any_length_and_content_is_cut_to_its_column(
    api: APIClient, person: User
) -> None:
    tokens = sign_in(api, person, headers={"User-Agent": "\x07\u202e" + "y" * 5000})

    (shown,) = listed(api, tokens)
    assert shown["user_agent"] == ("\ufffd\ufffd" + "y" * 5000)[:512]


def test_a_second_sign_in_on_a_device_has_the_fingerprint_of_the_first(
    api: APIClient, person: User
) -> None:
    chrome, safari = AGENTS["Chrome on Windows"].header, AGENTS["Safari on an iPhone"].header
    updated = chrome.replace("131", "132")

    for header in (chrome, safari, updated):
        tokens = sign_in(api, person, headers={"User-Agent": header})

    prints = {
        session["user_agent"]: session["device_fingerprint"] for session in listed(api, tokens)
    }
    assert prints[chrome] == prints[updated] != prints[safari]


# One session.


def test_a_live_session_is_shown(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)

    answer = api.get(url_of(there), headers=bearer(here["access"]))

    assert (answer.status_code, answer.json()["id"], answer.json()["is_current"]) == (
        200,
        id_of(there),
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
def test_a_session_that_is_over_or_not_ones_own_is_not_found(
    api: APIClient, person: User, method: str, change: Any
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    change(UserSession.objects.get(pk=id_of(there)))
    use_access(api, here)
    before = rows()

    answer = getattr(api, method)(url_of(there), headers=bearer(here["access"]))

    assert refusal_of(answer) == NOT_FOUND
    assert cookie_of(answer) is None
    assert rows() == before


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("name", [str(uuid.UUID(int=0)), "mine", "1", "terminate-all2"])
def test_an_id_that_names_nothing_is_not_found(
    api: APIClient, signed_in: Tokens, method: str, name: str
) -> None:
    answer = getattr(api, method)(f"{URL}{name}/", headers=bearer(signed_in["access"]))

    assert refusal_of(answer) == NOT_FOUND


# Ending one.


def test_ending_another_device_kills_its_tokens_and_no_others(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)

    answer = api.delete(url_of(there), headers=bearer(here["access"]))

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Session terminated successfully"},
    )
    assert cookie_of(answer) is None
    assert (use_access(api, there), use_refresh(api, there)) == (401, 401)
    assert (use_access(api, here), use_refresh(api, here)) == (200, 200)


def test_an_ended_session_is_kept_with_its_reason_and_audited(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    time_machine.shift(60)

    api.delete(url_of(there), headers=bearer(here["access"]))

    session = UserSession.objects.get(pk=id_of(there))
    assert (session.is_active, session.end_reason) == (False, "terminated")
    assert session.ended_at == NOON + dt.timedelta(seconds=60)
    revoked = TokenBlacklist.objects.get()
    assert (revoked.jti, revoked.reason) == (claims_of(there["refresh"])["jti"], "terminated")
    event = AuditLog.objects.get(event_type="session_terminated")
    assert (event.user_id, event.metadata, event.success) == (
        person.pk,
        {"session": id_of(there)},
        True,
    )


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_ending_the_current_session_clears_the_cookie(
    api: APIClient, signed_in: Tokens, headers: dict[str, str]
) -> None:
    answer = api.delete(url_of(signed_in), headers={**headers, **bearer(signed_in["access"])})

    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "Session terminated successfully"},
    )
    assert cookie_of(answer) == CLEARED
    assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)


def test_ending_a_session_twice_is_not_found_the_second_time(api: APIClient, person: User) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    api.delete(url_of(there), headers=bearer(here["access"]))
    before = rows()

    answer = api.delete(url_of(there), headers=bearer(here["access"]))

    assert refusal_of(answer) == NOT_FOUND
    assert rows() == before


# Ending all others.


def test_terminate_all_ends_and_counts_every_session_but_the_current_one(
    api: APIClient, person: User
) -> None:
    others = [sign_in(api, person) for _ in range(3)]
    here, stranger = sign_in(api, person), sign_in(api, UserFactory())
    UserSession.objects.get(pk=id_of(others[0])).deactivate("logout")

    answer = api.post(TERMINATE_ALL, headers=bearer(here["access"]))

    body = {"message": "All sessions terminated successfully", "terminated_count": 2}
    assert (answer.status_code, answer.json()) == (200, body)
    assert cookie_of(answer) is None
    assert [use_refresh(api, tokens) for tokens in (*others, here, stranger)] == [
        401,
        401,
        401,
        200,
        200,
    ]
    reasons = {claims_of(tokens["refresh"])["jti"]: "terminated" for tokens in others[1:]}
    assert (
        dict(TokenBlacklist.objects.filter(reason="terminated").values_list("jti", "reason"))
        == reasons
    )
    event = AuditLog.objects.get(event_type="sessions_terminated")
    assert (event.user_id, event.metadata) == (person.pk, {"count": 2, "kept": id_of(here)})


def test_terminate_all_with_no_other_session_ends_none(api: APIClient, signed_in: Tokens) -> None:
    answer = api.post(TERMINATE_ALL, headers=bearer(signed_in["access"]))

    assert answer.json() == {
        "message": "All sessions terminated successfully",
        "terminated_count": 0,
    }
    assert use_access(api, signed_in) == 200


# Who may, and how often.

CALLS = [
    ("get", URL),
    ("get", f"{URL}{uuid.UUID(int=0)}/"),
    ("delete", f"{URL}{uuid.UUID(int=0)}/"),
    ("post", TERMINATE_ALL),
]


@pytest.mark.parametrize(("method", "url"), CALLS)
def test_nobody_sees_or_ends_sessions_without_signing_in(
    api: APIClient, signed_in: Tokens, method: str, url: str
) -> None:
    before = rows()

    answer = getattr(api, method)(url)

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize(("method", "path"), [("delete", ""), ("post", "terminate-all/")])
def test_another_sites_request_ends_nothing(
    api: APIClient, person: User, method: str, path: str
) -> None:
    here, there = sign_in(api, person), sign_in(api, person)
    url = URL + (path or f"{id_of(there)}/")
    before = rows()

    answer = getattr(api, method)(
        url, headers={"Origin": "https://evil.example", **bearer(here["access"])}
    )

    assert refusal_of(answer)["code"] == "csrf_failed"
    assert rows() == before


@pytest.mark.parametrize(
    ("name", "method", "url"), [("sessions", *CALLS[0]), ("sessions_terminate_all", *CALLS[3])]
)
def test_calls_are_counted_by_person(
    api: APIClient, settings: Settings, db: None, name: str, method: str, url: str
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, name: "1/h"}
    ruth, naomi = sign_in(api, UserFactory()), sign_in(api, UserFactory())

    answers = [
        getattr(api, method)(url, headers=bearer(tokens["access"]))
        for tokens in (ruth, naomi, ruth)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert refusal_of(answers[2])["code"] == "rate_limited"


# At most so many.


def test_one_session_too_many_ends_the_one_idle_longest(
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
    evicted = UserSession.objects.get(pk=id_of(devices[1]))
    assert (evicted.is_active, evicted.end_reason) == (False, "evicted")
    assert (
        TokenBlacklist.objects.get(jti=claims_of(devices[1]["refresh"])["jti"]).reason == "evicted"
    )
    event = AuditLog.objects.get(event_type="session_evicted")
    assert (event.user_id, event.metadata) == (person.pk, {"session": id_of(devices[1])})


def test_ended_and_expired_sessions_and_other_peoples_take_no_room(
    api: APIClient, person: User, settings: Settings
) -> None:
    settings.MAX_ACTIVE_SESSIONS = 2
    kept, ended = sign_in(api, person), sign_in(api, person)
    UserSession.objects.get(pk=id_of(ended)).deactivate("logout")
    for _ in range(3):
        sign_in(api, UserFactory())

    newest = sign_in(api, person)

    assert [use_access(api, tokens) for tokens in (kept, newest)] == [200, 200]
    assert not AuditLog.objects.filter(event_type="session_evicted").exists()


def test_a_lowered_limit_ends_as_many_as_are_too_many(
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
