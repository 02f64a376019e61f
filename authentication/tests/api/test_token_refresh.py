"""POST /api/v1/auth/token/refresh/: rotation, carriers and keys."""

import datetime as dt
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.answers import (
    TOKEN_INVALID,
    cookie_of,
    invalid,
    refresh_cookie,
    refusal_of,
    rows,
)
from authentication.tests.clients import (
    NOON,
    REFRESH,
    Tokens,
    refresh_by_cookie,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import BROWSER, bearer, queries
from authentication.tests.forging import claims_of

NOT_A_STRING = "Not a valid string."
CONTROL_CHARACTERS = "Please remove line breaks and invisible characters."
MALFORMED: list[tuple[object, str]] = [
    (7, NOT_A_STRING),
    (True, NOT_A_STRING),
    (["token"], NOT_A_STRING),
    ({"a": 1}, NOT_A_STRING),
    ("to\x00ken", CONTROL_CHARACTERS),
    ("to\nken", CONTROL_CHARACTERS),
    ("to\ud800ken", CONTROL_CHARACTERS),
]
NEWER_KEY = "a-newer-key-of-more-than-thirty-two-characters"

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def test_a_refresh_token_is_swapped_for_a_new_pair_and_revoked(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, person: User
) -> None:
    before = UserSession.objects.get()
    time_machine.shift(60)

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    body, session = answer.json(), UserSession.objects.get()
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert body.keys() == {"access_token", "access", "expires_in", "token_type", "refresh"}
    assert (body["access"], body["expires_in"], body["token_type"]) == (
        body["access_token"],
        900,
        "Bearer",
    )
    assert (
        claims_of(body["refresh"])["jti"] == session.refresh_token_jti != before.refresh_token_jti
    )
    assert session.previous_refresh_token_jti == before.refresh_token_jti
    assert session.last_rotation_at == NOON + dt.timedelta(seconds=60)
    revoked = TokenBlacklist.objects.get()
    assert (revoked.jti, revoked.reason) == (claims_of(signed_in["refresh"])["jti"], "rotation")
    assert (revoked.user_id, revoked.expires_at) == (person.pk, before.expires_at)
    event = AuditLog.objects.get(event_type="token_refresh")
    assert (event.user_id, event.success, event.risk_level) == (person.pk, True, "low")
    assert use_access(api, body) == 200


def test_tokens_contain_no_other_claims(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, person: User
) -> None:
    session = UserSession.objects.get()
    time_machine.shift(60)

    body = refreshed(api, signed_in["refresh"])

    shared = {"iss": "vineyard_group_fellowship", "user_id": str(person.pk), "sid": str(session.pk)}
    now = int(NOON.timestamp()) + 60
    refresh, access = claims_of(body["refresh"]), claims_of(body["access"])
    assert refresh.pop("jti") != access.pop("jti")
    assert refresh == {**shared, "token_type": "refresh", "iat": now, "exp": now + 7 * 86_400}
    assert access == {**shared, "token_type": "access", "iat": now, "exp": now + 900}


def test_a_refresh_costs_at_most_five_queries(api: APIClient, signed_in: Tokens) -> None:
    with CaptureQueriesContext(connection) as captured:
        refreshed(api, signed_in["refresh"])

    assert len(queries(captured)) <= 5, queries(captured)


def test_a_chain_of_refreshes_keeps_one_session_and_revokes_every_former_token(
    api: APIClient, signed_in: Tokens
) -> None:
    token, seen = signed_in["refresh"], []
    for _ in range(5):
        seen.append(claims_of(token)["jti"])
        token = refreshed(api, token)["refresh"]

    assert UserSession.objects.get().refresh_token_jti == claims_of(token)["jti"]
    assert set(TokenBlacklist.objects.values_list("jti", "reason")) == {
        (jti, "rotation") for jti in seen
    }


def test_an_invalid_access_token_in_the_header_is_ignored(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]}, headers=bearer("stale"))

    assert answer.status_code == 200
    assert use_access(api, answer.json()) == 200


def test_a_token_sent_in_the_body_is_answered_in_the_body_only(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert "refresh" in answer.json()
    assert cookie_of(answer) is None


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_a_token_sent_as_a_cookie_is_answered_as_a_cookie_only(
    api: APIClient, signed_in: Tokens, headers: dict[str, str]
) -> None:
    answer = refresh_by_cookie(api, signed_in["refresh"], **headers)

    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "access", "expires_in", "token_type"}
    cookie = cookie_of(answer)
    assert cookie is not None
    assert cookie == refresh_cookie(cookie["value"])
    assert cookie["value"] not in answer.content.decode()
    assert claims_of(cookie["value"])["jti"] == UserSession.objects.get().refresh_token_jti


def test_the_cookie_lasts_two_weeks_for_every_session(api: APIClient, person: User) -> None:
    short, long = sign_in(api, person), sign_in(api, person, remember_me=True)

    ages = [
        refresh_by_cookie(api, tokens["refresh"]).cookies["refresh_token"]["max-age"]
        for tokens in (short, long)
    ]

    assert ages == [14 * 24 * 60 * 60] * 2


def test_the_body_takes_precedence_over_the_cookie(api: APIClient, person: User) -> None:
    in_body, in_cookie = sign_in(api, person), sign_in(api, person)
    api.cookies["refresh_token"] = in_cookie["refresh"]

    answer = api.post(REFRESH, {"refresh": in_body["refresh"]})

    assert claims_of(answer.json()["refresh"])["sid"] == claims_of(in_body["refresh"])["sid"]
    assert TokenBlacklist.objects.get().jti == claims_of(in_body["refresh"])["jti"]
    assert cookie_of(answer) is None


def test_a_form_is_accepted(api: APIClient, signed_in: Tokens) -> None:
    answer = api.post(
        REFRESH, f"refresh={signed_in['refresh']}", content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 200
    assert "refresh" in answer.json()


def test_a_cookie_is_ignored_where_cookies_are_disabled(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.ENABLE_COOKIE_REFRESH_TOKEN = False
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_a_request_without_a_token_is_refused(
    api: APIClient, db: None, headers: dict[str, str]
) -> None:
    answers = [api.post(REFRESH, body, headers=headers) for body in ({}, {"refresh": ""})]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert [cookie_of(answer) for answer in answers] == [None] * 2


def test_a_body_of_another_shape_is_refused(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False
    before, failures = rows(), {}

    for value, message in MALFORMED:
        body = json.dumps({"refresh": value})
        answer = api.post(REFRESH, body, content_type="application/json")
        if refusal_of(answer) != invalid(refresh=[message]):
            failures[str(value)] = answer.content

    assert failures == {}
    assert rows() == before


def test_a_token_signed_with_an_older_key_works_while_that_key_is_kept(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    older = settings.JWT_SIGNING_KEY
    settings.JWT_SIGNING_KEY = NEWER_KEY
    settings.JWT_SIGNING_KEY_FALLBACKS = ["yet-another-key-of-32-characters", older]

    body = refreshed(api, signed_in["refresh"])
    settings.JWT_SIGNING_KEY_FALLBACKS = []

    assert use_access(api, body) == 200
    assert use_refresh(api, body) == 200


def test_a_token_signed_with_a_removed_key_is_refused(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.JWT_SIGNING_KEY = NEWER_KEY
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) is None
    assert rows() == before


def test_a_key_rotation_changes_no_successor_in_the_grace_period(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    first = refreshed(api, signed_in["refresh"])
    older = settings.JWT_SIGNING_KEY
    settings.JWT_SIGNING_KEY = NEWER_KEY
    settings.JWT_SIGNING_KEY_FALLBACKS = [older]

    second = refreshed(api, signed_in["refresh"])

    assert claims_of(second["refresh"]) == claims_of(first["refresh"])
