"""/api/v1/auth/account/activity/: what happened to a person's account, and their word that it was not they."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.serializers.activity import EVENT_TEXTS
from authentication.services.accounts.activity import _UNTOLD
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of
from authentication.tests.clients import NOON, Tokens, refreshed, sign_in, use_access, use_refresh
from authentication.tests.conftest import API, BROWSER, bearer, queries
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of

URL = f"{API}/account/activity/"
DISOWNED = "That device is signed out. Please choose a new password now: we have sent you a link."
# They happen to nobody who could be told.
NOBODYS = {
    "email_verification_failed",
    "password_reset_failed",
    "token_exchange_failed",
    "session_disown_failed",
    "email_change_failed",
    "account_erased",
}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def activity(api: APIClient, tokens: Tokens, **query: Any) -> dict[str, Any]:
    answer = api.get(URL, query, headers=bearer(tokens["access"]))
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def sid(tokens: Tokens) -> str:
    return str(claims_of(tokens["refresh"])["sid"])


def disown(api: APIClient, tokens: Tokens, event: object, **headers: str) -> Any:
    return api.post(f"{URL}{event}/disown/", headers={**bearer(tokens["access"]), **headers})


def sign_in_of(tokens: Tokens) -> AuditLog:
    return AuditLog.objects.get(event_type="login", metadata__session=sid(tokens))


def test_an_event_is_told_in_exactly_these_facts(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person, device_name="Ruth's phone")

    told = activity(api, tokens)

    event = AuditLog.objects.get()
    assert told == {
        "events": [
            {
                "id": str(event.pk),
                "event": "login",
                "text": "You signed in.",
                "success": True,
                "risk_level": "low",
                "ip_address": "127.0.0.1",
                "device": "Ruth's phone",
                "session": sid(tokens),
                "is_current": True,
                "timestamp": "2026-11-22T12:00:00Z",
            }
        ],
        "next": None,
        "previous": None,
    }


def test_only_ones_own_events_are_told(api: APIClient, person: User) -> None:
    other = UserFactory()
    sign_in(api, other)

    told = activity(api, sign_in(api, person))

    assert [event["event"] for event in told["events"]] == ["login"]


def test_refreshes_are_not_told(api: APIClient, person: User) -> None:
    tokens = refreshed(api, sign_in(api, person)["refresh"])

    assert [event["event"] for event in activity(api, tokens)["events"]] == ["login"]


@pytest.mark.parametrize("event", sorted(set(AuditLog.Event.values) - NOBODYS - set(_UNTOLD)))
def test_every_event_that_happens_to_somebody_has_words(event: str) -> None:
    assert EVENT_TEXTS[event].endswith(".")


def test_the_newest_come_first_a_page_at_a_time(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)
    made = [
        AuditLog.log_event(
            "profile_updated", user=person, timestamp=NOON - dt.timedelta(minutes=minute)
        )
        for minute in range(45)
    ]

    pages, link = [], f"{URL}?limit=20"
    while link:
        page = api.get(link, headers=bearer(tokens["access"])).json()
        pages.append([event["id"] for event in page["events"]])
        link = page["next"]

    assert [len(page) for page in pages] == [20, 20, 6]
    assert {event for page in pages for event in page} == {
        str(it.pk) for it in (*made, sign_in_of(tokens))
    }
    assert pages[1] == [str(it.pk) for it in made][19:39]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "1000000"}, {"limit": "x"}, {"cursor": "%00"}]
)
def test_an_odd_page_is_answered_all_the_same(
    api: APIClient, person: User, query: dict[str, str]
) -> None:
    answer = api.get(URL, query, headers=bearer(sign_in(api, person)["access"]))

    assert answer.status_code in {200, 404}


def test_it_takes_two_queries(
    api: APIClient, person: User, time_machine: TimeMachineFixture
) -> None:
    tokens = sign_in(api, person)
    for _ in range(30):
        AuditLog.log_event("profile_updated", user=person)
    activity(api, tokens)
    time_machine.shift(1)

    with CaptureQueriesContext(connection) as captured:
        activity(api, tokens)

    assert len(queries(captured)) == 2, [sql[:90] for sql in queries(captured)]


@pytest.mark.parametrize("path", [URL, f"{URL}{uuid.UUID(int=7)}/disown/"])
def test_a_stranger_is_told_nothing(api: APIClient, path: str) -> None:
    answer = api.get(path) if path == URL else api.post(path)

    assert refusal_of(answer) == TOKEN_INVALID


class TestItWasNotMe:
    def test_it_ends_that_session_and_asks_for_a_new_password(
        self, api: APIClient, person: User
    ) -> None:
        mine, strange = sign_in(api, person), sign_in(api, person)
        event = sign_in_of(strange)

        answer = disown(api, mine, event.pk)

        assert (answer.status_code, answer.json()) == (200, {"message": DISOWNED})
        assert (use_access(api, strange), use_refresh(api, strange), use_access(api, mine)) == (
            401,
            401,
            200,
        )
        assert (
            TokenBlacklist.objects.get(jti=claims_of(strange["refresh"])["jti"]).reason
            == "disowned"
        )
        assert OutgoingEmail.objects.filter(user=person, kind="password_reset").count() == 1
        told = AuditLog.objects.get(event_type="session_disowned")
        assert (told.user, told.risk_level, told.metadata) == (
            person,
            "high",
            {"session": sid(strange), "about": str(event.pk)},
        )

    def test_an_event_without_a_session_still_asks_for_a_new_password(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)
        event = AuditLog.log_event("login_failed", user=person, success=False)

        answer = disown(api, tokens, event.pk)

        assert answer.status_code == 200
        assert use_access(api, tokens) == 200
        assert OutgoingEmail.objects.filter(user=person, kind="password_reset").count() == 1

    def test_of_the_session_that_asks_the_cookie_is_cleared(
        self, browser: APIClient, person: User
    ) -> None:
        answer = browser.post(
            f"{API}/login/", {"email": person.email, "password": "Correct-Horse-9"}
        )
        event = AuditLog.objects.get(event_type="login")

        disowned = disown(browser, answer.json(), event.pk)

        assert cookie_of(disowned) == CLEARED
        assert not UserSession.objects.get().is_active

    def test_of_another_session_the_cookie_stays(self, api: APIClient, person: User) -> None:
        mine, strange = sign_in(api, person), sign_in(api, person)

        assert cookie_of(disown(api, mine, sign_in_of(strange).pk)) is None

    def test_another_persons_event_is_not_found(self, api: APIClient, person: User) -> None:
        tokens, others = sign_in(api, person), sign_in(api, UserFactory())

        answers = [disown(api, tokens, it) for it in (sign_in_of(others).pk, uuid.uuid4())]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert use_access(api, others) == 200
        assert not OutgoingEmail.objects.filter(kind="password_reset").exists()

    def test_another_site_cannot_say_it(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person)
        foreign = {**BROWSER, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

        answer = disown(api, tokens, sign_in_of(tokens).pk, **foreign)

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert use_access(api, tokens) == 200


def test_it_is_limited_by_person(api: APIClient, person: User, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "activity": "2/h"}
    tokens, others = sign_in(api, person), sign_in(api, UserFactory())

    statuses = [api.get(URL, headers=bearer(tokens["access"])).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert api.get(URL, headers=bearer(others["access"])).status_code == 200
