"""A request that carries an access token, and every other kind of token at every other door."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UserSession
from authentication.services import EmailService, ExchangeTokenService
from authentication.tests.answers import LINK_INVALID, TOKEN_INVALID, not_refused, refusal_of, rows
from authentication.tests.clients import (
    NOON,
    REFRESH,
    VERIFY,
    Tokens,
    refreshed,
    set_password,
    sign_in,
    use_access,
)
from authentication.tests.conftest import API, ME, bearer, queries, token_in
from authentication.tests.factories import UserFactory
from authentication.tests.forging import claims_of
from authentication.utils.crypto import digest

stopped = pytest.mark.time_machine(NOON, tick=False)


# What it costs.


def test_authentication_costs_exactly_one_query(api: APIClient, signed_in: Tokens) -> None:
    sessions = f"{API}/sessions/terminate-all/"
    use_access(api, signed_in)

    with CaptureQueriesContext(connection) as captured:
        refused = api.get(sessions, headers=bearer(signed_in["access"]))

    assert refused.status_code == 405
    assert len(queries(captured)) == 1, queries(captured)


@stopped
def test_the_last_activity_is_written_at_most_once_in_five_minutes(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    written = []
    for _ in range(11):
        use_access(api, signed_in)
        written.append(UserSession.objects.get().last_activity_at - NOON)
        time_machine.shift(60)

    five, ten = dt.timedelta(minutes=5), dt.timedelta(minutes=10)
    assert written == [dt.timedelta(0)] * 5 + [five] * 5 + [ten]


@stopped
def test_within_five_minutes_requests_write_nothing(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    use_access(api, signed_in)
    time_machine.shift(299)

    with CaptureQueriesContext(connection) as captured:
        use_access(api, signed_in)

    assert [sql for sql in queries(captured) if not sql.startswith("SELECT")] == []


@stopped
def test_a_refresh_counts_as_activity_once_in_five_minutes_too(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(299)
    newest = refreshed(api, signed_in["refresh"])
    assert UserSession.objects.get().last_activity_at == NOON
    time_machine.shift(1)

    refreshed(api, newest["refresh"])

    assert UserSession.objects.get().last_activity_at == NOON + dt.timedelta(minutes=5)


# When it is refused.


def log_out(api: APIClient, tokens: Tokens, person: User) -> None:
    assert api.post(f"{API}/logout/", headers=bearer(tokens["access"])).status_code == 200


def terminate_elsewhere(api: APIClient, tokens: Tokens, person: User) -> None:
    other = sign_in(api, person)
    session = claims_of(tokens["access"])["sid"]
    assert (
        api.delete(f"{API}/sessions/{session}/", headers=bearer(other["access"])).status_code == 200
    )


def close_account(api: APIClient, tokens: Tokens, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def delete_account(api: APIClient, tokens: Tokens, person: User) -> None:
    User.objects.filter(pk=person.pk).delete()


ENDS = pytest.mark.parametrize("end", [log_out, terminate_elsewhere, close_account, delete_account])


@ENDS
def test_an_access_token_is_dead_at_once(
    api: APIClient, signed_in: Tokens, person: User, end: Callable[[APIClient, Tokens, User], None]
) -> None:
    assert use_access(api, signed_in) == 200
    end(api, signed_in, person)
    before = rows()

    answer = api.get(ME, headers=bearer(signed_in["access"]))

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


@ENDS
def test_the_tokens_of_every_rotation_die_with_their_session(
    api: APIClient, signed_in: Tokens, person: User, end: Callable[[APIClient, Tokens, User], None]
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    assert [use_access(api, tokens) for tokens in (signed_in, newest)] == [200, 200]

    end(api, signed_in, person)

    assert [use_access(api, tokens) for tokens in (signed_in, newest)] == [401, 401]


@stopped
def test_an_access_token_from_before_a_new_password_is_dead(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, person: User
) -> None:
    time_machine.shift(1)
    set_password(person)

    assert refusal_of(api.get(ME, headers=bearer(signed_in["access"]))) == TOKEN_INVALID


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer  a b",
        "Bearer token",
        "Basic cnV0aDpwYXNz",
        "Token {}",
        "{}",
        "Bearer {} {}",
        "",
    ],
)
def test_a_header_that_holds_no_bearer_token_is_a_401(
    api: APIClient, signed_in: Tokens, header: str
) -> None:
    value = header.replace("{}", signed_in["access"])

    answer = api.get(ME, headers={"Authorization": value})

    assert refusal_of(answer) == TOKEN_INVALID


def test_a_header_that_is_not_ascii_is_a_401(api: APIClient, db: None) -> None:
    assert refusal_of(api.get(ME, HTTP_AUTHORIZATION="Bearer t\u00f6ken")) == TOKEN_INVALID


def test_without_a_header_the_answer_is_a_401(api: APIClient, db: None) -> None:
    assert refusal_of(api.get(ME)) == TOKEN_INVALID


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_whatever_its_case(
    api: APIClient, signed_in: Tokens, scheme: str
) -> None:
    answer = api.get(ME, headers={"Authorization": f"{scheme} {signed_in['access']}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["access_token", "access", "token", "bearer", "jwt"])
def test_a_token_in_the_query_string_is_refused(
    api: APIClient, signed_in: Tokens, name: str
) -> None:
    answer = api.get(f"{ME}?{name}={signed_in['access']}")

    assert refusal_of(answer) == TOKEN_INVALID


@pytest.mark.parametrize("name", ["refresh", "refresh_token"])
def test_a_refresh_token_in_the_query_string_is_refused(
    api: APIClient, signed_in: Tokens, name: str
) -> None:
    before = rows()

    answer = api.post(f"{REFRESH}?{name}={signed_in['refresh']}")

    assert refusal_of(answer) == TOKEN_INVALID
    assert rows() == before


def test_an_access_token_in_a_cookie_or_a_body_signs_nobody_in(
    api: APIClient, signed_in: Tokens
) -> None:
    api.cookies["access_token"] = signed_in["access"]

    answer = api.patch(ME, {"access_token": signed_in["access"], "display_name": "Eve"})

    assert refusal_of(answer) == TOKEN_INVALID


def test_a_person_sees_themselves_and_nobody_else(api: APIClient, db: None) -> None:
    ruth, naomi = UserFactory(), UserFactory()

    seen = [
        api.get(ME, headers=bearer(sign_in(api, person)["access"])).json()["id"]
        for person in (ruth, naomi)
    ]

    assert seen == [str(ruth.pk), str(naomi.pk)]


def test_a_forged_token_is_a_401_and_changes_nothing(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    assert (
        not_refused(
            lambda token: api.get(ME, headers=bearer(token)),
            claims_of(signed_in["access"]),
            leaving_out={"not ASCII"},
        )
        == {}
    )


# Each kind of token is good at one kind of door.


@pytest.fixture
def tokens(
    api: APIClient, signed_in: Tokens, person: User, delivered: Callable[[], list[EmailMessage]]
) -> dict[str, str]:
    """One live token of each kind, all of one person."""
    User.objects.filter(pk=person.pk).update(email_verified=False)
    EmailService.send_verification_email(person)
    return {
        "access": signed_in["access"],
        "refresh": signed_in["refresh"],
        "exchange": ExchangeTokenService.create(user_id=person.pk),
        "verification": token_in(delivered()[-1]),
    }


def as_bearer(api: APIClient, token: str) -> Any:
    return api.get(ME, headers=bearer(token))


def as_verified(api: APIClient, token: str) -> Any:
    return api.post(VERIFY, {"token": token})


def as_refresh_in_body(api: APIClient, token: str) -> Any:
    return api.post(REFRESH, {"refresh": token})


def as_refresh_in_cookie(api: APIClient, token: str) -> Any:
    api.cookies["refresh_token"] = token
    return api.post(REFRESH)


def as_bearer_of_logout(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/logout/", headers=bearer(token))


def as_refresh_of_logout(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/logout/", {"refresh": token})


def as_exchange(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/exchange-token/", {"exchange_token": token})


def as_verification(api: APIClient, token: str) -> Any:
    return api.post(f"{API}/email/verify/", {"token": token})


DOORS: dict[Callable[[APIClient, str], Any], str] = {
    as_bearer: "access",
    as_verified: "access",
    as_bearer_of_logout: "access",
    as_refresh_in_body: "refresh",
    as_refresh_in_cookie: "refresh",
    as_refresh_of_logout: "refresh",
    as_exchange: "exchange",
    as_verification: "verification",
}
KINDS = ("access", "refresh", "exchange", "verification")


@pytest.mark.parametrize("door", DOORS)
def test_a_token_of_the_right_kind_opens_the_door(
    api: APIClient, tokens: dict[str, str], door: Callable[[APIClient, str], Any]
) -> None:
    answer = door(api, tokens[DOORS[door]])

    assert answer.status_code == 200, answer.content


@pytest.mark.parametrize(
    ("door", "kind"),
    [(door, kind) for door, right in DOORS.items() for kind in KINDS if kind != right],
)
def test_a_token_of_another_kind_does_not(
    api: APIClient, tokens: dict[str, str], door: Callable[[APIClient, str], Any], kind: str
) -> None:
    sessions = list(UserSession.objects.values())

    answer = door(api, tokens[kind])

    expected = LINK_INVALID if door in {as_exchange, as_verification} else TOKEN_INVALID
    assert refusal_of(answer) == expected
    assert list(UserSession.objects.values()) == sessions
    assert not User.objects.get().email_verified


@pytest.mark.parametrize("kind", ["exchange", "verification"])
def test_a_digest_from_the_stores_opens_no_door(
    api: APIClient, tokens: dict[str, str], kind: str
) -> None:
    stolen = digest(tokens[kind])

    answers = [as_exchange(api, stolen), as_verification(api, stolen)]

    assert [refusal_of(answer) for answer in answers] == [LINK_INVALID] * 2
