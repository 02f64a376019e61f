"""POST /api/v1/auth/token/refresh/: reuse of a rotated token ends its session."""

import datetime as dt
from collections.abc import Callable

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import TOKEN_INVALID, refusal_of, rows
from authentication.tests.clients import (
    NOON,
    REFRESH,
    VERIFY,
    Tokens,
    get_as,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
    use_verify,
)
from authentication.tests.conftest import ME, Deliver
from authentication.tests.forging import claims_of, signed

Use = Callable[[APIClient, Tokens], int]
pytestmark = pytest.mark.time_machine(NOON, tick=False)
USES = pytest.mark.parametrize("use", [use_refresh, use_access, use_verify])


@USES
def test_the_previous_token_is_reuse_after_its_successor_was_used(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    use: Use,
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    time_machine.shift(21)
    assert use(api, newest) == 200

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    session = UserSession.objects.get()
    assert (session.is_active, session.end_reason) == (False, "reuse")


@USES
def test_a_successor_that_was_returned_again_counts_as_used(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    use: Use,
) -> None:
    refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)
    again = refreshed(api, signed_in["refresh"])
    assert use(api, again) == 200

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


def test_a_token_two_rotations_old_is_reuse_at_once(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    refreshed(api, refreshed(api, signed_in["refresh"])["refresh"])

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


def test_a_token_without_an_identifier_is_refused(api: APIClient, signed_in: Tokens) -> None:
    forged = signed({**claims_of(signed_in["refresh"]), "jti": ""})

    answer = api.post(REFRESH, {"refresh": forged})

    assert refusal_of(answer) == TOKEN_INVALID


@pytest.fixture
def replayed(time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens) -> Tokens:
    """Return the newest tokens of the owner; the first ones count as reuse from now on."""
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    time_machine.shift(21)
    return newest


def test_reuse_ends_the_session_for_both_holders(
    api: APIClient, signed_in: Tokens, replayed: Tokens
) -> None:
    thief = api.post(REFRESH, {"refresh": signed_in["refresh"]})
    owner = api.post(REFRESH, {"refresh": replayed["refresh"]})

    assert refusal_of(thief) == refusal_of(owner) == TOKEN_INVALID
    for tokens in (signed_in, replayed):
        assert refusal_of(get_as(api, tokens, ME)) == TOKEN_INVALID
        assert refusal_of(api.post(VERIFY, {"token": tokens["access"]})) == TOKEN_INVALID


def test_the_revocation_is_committed_although_the_request_is_refused(
    api: APIClient, signed_in: Tokens, replayed: Tokens
) -> None:
    api.post(REFRESH, {"refresh": signed_in["refresh"]})

    session = UserSession.objects.get()
    assert (session.is_active, session.end_reason) == (False, "reuse")
    assert session.ended_at == NOON + dt.timedelta(seconds=21)
    assert set(TokenBlacklist.objects.values_list("jti", "reason")) == {
        (claims_of(signed_in["refresh"])["jti"], "rotation"),
        (claims_of(replayed["refresh"])["jti"], "reuse"),
    }


def test_reuse_is_audited_as_critical(
    api: APIClient, signed_in: Tokens, replayed: Tokens, person: User
) -> None:
    answer = api.post(
        REFRESH,
        {"refresh": signed_in["refresh"]},
        headers={"User-Agent": "thief/1"},
        REMOTE_ADDR="198.51.100.7",
    )

    event = AuditLog.objects.get(event_type="token_reuse_detected")
    assert (event.user_id, event.risk_level, event.success) == (person.pk, "critical", False)
    assert (event.ip_address, event.user_agent) == ("198.51.100.7", "thief/1")
    assert event.metadata == {"session": claims_of(signed_in["refresh"])["sid"]}
    assert event.correlation_id == answer["X-Correlation-ID"]


def test_the_owner_gets_a_mail_about_reuse(
    time_machine: TimeMachineFixture,
    api: APIClient,
    person: User,
    delivered: Deliver,
) -> None:
    stolen = sign_in(api, person, device_name="Ruth's phone")
    use_access(api, refreshed(api, stolen["refresh"]))
    time_machine.shift(21)

    api.post(REFRESH, {"refresh": stolen["refresh"]})

    message = delivered()[0]
    assert message.to == [person.email]
    assert "Ruth's phone" in message.body
    assert OutgoingEmail.objects.get().kind == "token_reuse"


def test_reuse_does_not_end_other_sessions(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    stolen, other = sign_in(api, person), sign_in(api, person)
    use_access(api, refreshed(api, stolen["refresh"]))
    time_machine.shift(21)

    api.post(REFRESH, {"refresh": stolen["refresh"]})

    assert use_access(api, other) == 200
    assert use_refresh(api, other) == 200
    assert str(UserSession.objects.get(is_active=True).pk) == claims_of(other["refresh"])["sid"]


def test_repeated_reuse_is_audited_and_mailed_once(
    api: APIClient, signed_in: Tokens, replayed: Tokens
) -> None:
    api.post(REFRESH, {"refresh": signed_in["refresh"]})
    before = rows()

    again = [
        api.post(REFRESH, {"refresh": tokens["refresh"]})
        for tokens in (signed_in, replayed, signed_in)
    ]

    assert [refusal_of(answer) for answer in again] == [TOKEN_INVALID] * 3
    assert rows() == before
