"""/api/v1/auth/account/activity/: an account's events, and disowning one of them."""

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
from authentication.tests.answers import (
    CLEARED,
    TOKEN_INVALID,
    assert_problem,
    cookie_of,
    problem_code,
    refusal_of,
    unexpected,
)
from authentication.tests.clients import (
    FOREIGN_PAGE,
    NOON,
    Tokens,
    get_as,
    log_in,
    post_as,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, queries
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of
from authentication.tests.limits import set_limits

URL = f"{API}/account/activity/"
DISOWNED = "That device is signed out. Please choose a new password now: we have sent you a link."
# These belong to no account that could list them.
EVENTS_OF_NO_ACCOUNT = {
    "email_verification_failed",
    "password_reset_failed",
    "token_exchange_failed",
    "session_disown_failed",
    "change_undo_failed",
    "export_download_failed",
    "email_change_failed",
    "account_erased",
    "many_accounts_tried",
    "address_released",
    "second_factor_removal_failed",
    "invitation_failed",
}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def activity(api: APIClient, tokens: Tokens, **query: Any) -> dict[str, Any]:
    answer = get_as(api, tokens, URL, query)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def sid(tokens: Tokens) -> str:
    return str(claims_of(tokens["refresh"])["sid"])


def disown(api: APIClient, tokens: Tokens, event: object, **headers: str) -> Any:
    return post_as(api, tokens, f"{URL}{event}/disown/", **headers)


def login_event(tokens: Tokens) -> AuditLog:
    return AuditLog.objects.get(event_type="login", metadata__session=sid(tokens))


def test_an_event_has_exactly_these_fields(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person, device_name="Ruth's phone")

    listed = activity(api, tokens)

    event = AuditLog.objects.get()
    assert listed == {
        "events": [
            {
                "id": str(event.pk),
                "event": "login",
                "text": "You signed in.",
                "success": True,
                "risk_level": "low",
                "ip_address": "127.0.0.1",
                "city": "",
                "country": "",
                "device": "Ruth's phone",
                "session": sid(tokens),
                "is_current": True,
                "timestamp": "2026-11-22T12:00:00Z",
            }
        ],
        "next": None,
        "previous": None,
    }


def test_the_list_holds_only_the_accounts_own_events(api: APIClient, person: User) -> None:
    other = UserFactory()
    sign_in(api, other)

    listed = activity(api, sign_in(api, person))

    assert [event["event"] for event in listed["events"]] == ["login"]


def test_the_list_leaves_refreshes_out(api: APIClient, person: User) -> None:
    tokens = refreshed(api, sign_in(api, person)["refresh"])

    assert [event["event"] for event in activity(api, tokens)["events"]] == ["login"]


def test_every_event_of_an_account_is_described_in_a_sentence() -> None:
    listed = set(AuditLog.Event.values) - EVENTS_OF_NO_ACCOUNT - {"token_refresh"}

    assert (
        unexpected(listed, lambda event: EVENT_TEXTS.get(event, "").endswith("."), expected=True)
        == {}
    )


def test_the_list_is_paged_with_the_newest_events_first(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)
    made = [
        AuditLog.log_event(
            "profile_updated", user=person, timestamp=NOON - dt.timedelta(minutes=minute)
        )
        for minute in range(45)
    ]

    pages, link = [], f"{URL}?limit=20"
    while link:
        page = get_as(api, tokens, link).json()
        pages.append([event["id"] for event in page["events"]])
        link = page["next"]

    assert [len(page) for page in pages] == [20, 20, 6]
    assert {event for page in pages for event in page} == {
        str(it.pk) for it in (*made, login_event(tokens))
    }
    assert pages[1] == [str(it.pk) for it in made][19:39]


def test_an_unusable_page_size_or_cursor_is_no_crash(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)

    statuses = {
        f"{name}={value}": get_as(api, tokens, URL, {name: value}).status_code
        for name, value in [
            ("limit", "0"),
            ("limit", "1000000"),
            ("limit", "x"),
            ("cursor", "%00"),
        ]
    }

    assert statuses == {"limit=0": 200, "limit=1000000": 200, "limit=x": 200, "cursor=%00": 404}


def test_the_list_takes_two_queries(
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
def test_a_request_without_an_access_token_is_refused(api: APIClient, path: str) -> None:
    answer = api.get(path) if path == URL else api.post(path)

    assert refusal_of(answer) == TOKEN_INVALID


class TestDisowning:
    def test_disowning_a_sign_in_ends_its_session_and_mails_a_reset_link(
        self, api: APIClient, person: User
    ) -> None:
        mine, strange = sign_in(api, person), sign_in(api, person)
        event = login_event(strange)

        answer = disown(api, mine, event.pk)

        assert (answer.status_code, answer.json()) == (200, {"message": DISOWNED})
        assert (use_access(api, strange), use_refresh(api, strange)) == (401, 401)
        assert use_access(api, mine) == 200
        revoked = TokenBlacklist.objects.get(jti=claims_of(strange["refresh"])["jti"])
        assert revoked.reason == "disowned"
        assert OutgoingEmail.objects.filter(user=person, kind="password_reset").count() == 1
        logged = AuditLog.objects.get(event_type="session_disowned")
        assert (logged.user, logged.risk_level) == (person, "high")
        assert logged.metadata == {"session": sid(strange), "about": str(event.pk)}

    def test_disowning_an_event_without_a_session_still_mails_a_reset_link(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)
        event = AuditLog.log_event("login_failed", user=person, success=False)

        answer = disown(api, tokens, event.pk)

        assert answer.status_code == 200
        assert use_access(api, tokens) == 200
        assert OutgoingEmail.objects.filter(user=person, kind="password_reset").count() == 1

    def test_disowning_the_current_session_clears_its_cookie(
        self, browser: APIClient, person: User
    ) -> None:
        answer = log_in(browser, person)
        event = AuditLog.objects.get(event_type="login")

        disowned = disown(browser, answer.json(), event.pk)

        assert cookie_of(disowned) == CLEARED
        assert not UserSession.objects.get().is_active

    def test_disowning_another_session_leaves_the_cookie_alone(
        self, api: APIClient, person: User
    ) -> None:
        mine, strange = sign_in(api, person), sign_in(api, person)

        assert cookie_of(disown(api, mine, login_event(strange).pk)) is None

    def test_another_accounts_event_is_not_found(self, api: APIClient, person: User) -> None:
        tokens, others = sign_in(api, person), sign_in(api, UserFactory())

        answers = [disown(api, tokens, it) for it in (login_event(others).pk, uuid.uuid4())]

        assert [problem_code(answer) for answer in answers] == ["not_found"] * 2
        assert use_access(api, others) == 200
        assert not OutgoingEmail.objects.filter(kind="password_reset").exists()

    def test_another_site_cannot_disown_an_event(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person)

        answer = disown(api, tokens, login_event(tokens).pk, **FOREIGN_PAGE)

        assert_problem(answer, 403, "csrf_failed")
        assert use_access(api, tokens) == 200


def test_the_limit_counts_each_account_by_itself(
    api: APIClient, person: User, settings: Settings
) -> None:
    set_limits(settings, activity="2/h")
    tokens, others = sign_in(api, person), sign_in(api, UserFactory())

    statuses = [get_as(api, tokens, URL).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert get_as(api, others, URL).status_code == 200
