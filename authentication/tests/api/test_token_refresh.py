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
from authentication.tests.conftest import BROWSER, ME, bearer, queries
from authentication.tests.forging import claims_of

pytestmark = pytest.mark.time_machine(NOON, tick=False)


def test_a_refresh_token_buys_a_new_pair_and_is_revoked(
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
    assert api.get(ME, headers=bearer(body["access"])).status_code == 200


def test_tokens_say_what_the_contract_lists_and_nothing_personal(
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


def test_refreshing_costs_at_most_five_queries(api: APIClient, signed_in: Tokens) -> None:
    with CaptureQueriesContext(connection) as captured:
        refreshed(api, signed_in["refresh"])

    assert len(queries(captured)) <= 5, queries(captured)


def test_a_chain_of_refreshes_keeps_one_session_and_revokes_every_link(
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


def test_a_stale_access_token_in_the_header_is_ignored(api: APIClient, signed_in: Tokens) -> None:
    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]}, headers=bearer("stale"))

    assert answer.status_code == 200


def test_a_token_from_the_body_goes_back_in_the_body_alone(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert "refresh" in answer.json()
    assert cookie_of(answer) is None


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_a_token_from_the_cookie_goes_back_by_cookie_alone(
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


def test_the_cookie_lasts_a_fortnight_whatever_the_session_lasts(
    api: APIClient, person: User
) -> None:
    short, long = sign_in(api, person), sign_in(api, person, remember_me=True)

    ages = [
        refresh_by_cookie(api, tokens["refresh"]).cookies["refresh_token"]["max-age"]
        for tokens in (short, long)
    ]

    assert ages == [14 * 24 * 60 * 60] * 2


def test_the_body_is_asked_before_the_cookie(api: APIClient, person: User) -> None:
    in_body, in_cookie = sign_in(api, person), sign_in(api, person)
    api.cookies["refresh_token"] = in_cookie["refresh"]

    answer = api.post(REFRESH, {"refresh": in_body["refresh"]})

    assert claims_of(answer.json()["refresh"])["sid"] == claims_of(in_body["refresh"])["sid"]
    assert TokenBlacklist.objects.get().jti == claims_of(in_body["refresh"])["jti"]
    assert cookie_of(answer) is None


def test_a_form_carries_the_token_too(api: APIClient, signed_in: Tokens) -> None:
    answer = api.post(
        REFRESH, f"refresh={signed_in['refresh']}", content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code == 200
    assert "refresh" in answer.json()


def test_without_cookies_enabled_a_cookie_counts_for_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.ENABLE_COOKIE_REFRESH_TOKEN = False
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
def test_without_any_token_the_answer_is_401(
    api: APIClient, db: None, headers: dict[str, str]
) -> None:
    for body in ({}, {"refresh": ""}):
        answer = api.post(REFRESH, body, headers=headers)

        assert refusal_of(answer) == TOKEN_INVALID
        assert cookie_of(answer) is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "This field may not be null."),
        (7, "Not a valid string."),
        (True, "Not a valid string."),
        (["token"], "Not a valid string."),
        ({"a": 1}, "Not a valid string."),
        ("to\x00ken", "Please remove line breaks and invisible characters."),
        ("to\nken", "Please remove line breaks and invisible characters."),
        ("to\ud800ken", "Please remove line breaks and invisible characters."),
    ],
)
def test_a_body_of_another_shape_is_a_400(
    api: APIClient, signed_in: Tokens, value: object, message: str
) -> None:
    before = rows()

    answer = api.post(REFRESH, json.dumps({"refresh": value}), content_type="application/json")

    assert refusal_of(answer) == invalid(refresh=[message])
    assert rows() == before


def test_a_token_signed_with_the_older_key_is_good_while_that_key_is_kept(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    old, new = settings.JWT_SIGNING_KEY, "a-newer-key-of-more-than-thirty-two-characters"
    settings.JWT_SIGNING_KEY, settings.JWT_SIGNING_KEY_FALLBACKS = (
        new,
        ["yet-another-key-of-32-characters", old],
    )

    body = refreshed(api, signed_in["refresh"])
    settings.JWT_SIGNING_KEY_FALLBACKS = []

    assert use_access(api, body) == 200
    assert use_refresh(api, body) == 200


def test_a_token_signed_with_a_key_no_longer_kept_is_refused(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.JWT_SIGNING_KEY = "a-newer-key-of-more-than-thirty-two-characters"
    before = rows()

    answer = refresh_by_cookie(api, signed_in["refresh"])

    assert refusal_of(answer) == TOKEN_INVALID
    assert cookie_of(answer) is None
    assert rows() == before


def test_the_rotation_of_the_key_changes_no_successor_in_its_grace(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    first = refreshed(api, signed_in["refresh"])
    old = settings.JWT_SIGNING_KEY
    settings.JWT_SIGNING_KEY, settings.JWT_SIGNING_KEY_FALLBACKS = (
        "a-newer-key-of-thirty-two-letters",
        [old],
    )

    second = refreshed(api, signed_in["refresh"])

    assert claims_of(second["refresh"]) == claims_of(first["refresh"])
