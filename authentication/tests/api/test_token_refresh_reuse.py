"""POST /api/v1/auth/token/refresh/ with a token that was rotated before: grace or reuse."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, TokenBlacklist, User, UserSession
from authentication.tests.answers import TOKEN_INVALID, cookie_of, refusal_of, rows
from authentication.tests.clients import (
    NOON,
    REFRESH,
    VERIFY,
    Tokens,
    refresh_by_cookie,
    refreshed,
    sign_in,
    use_access,
    use_refresh,
    use_verify,
)
from authentication.tests.conftest import ME, bearer
from authentication.tests.forging import claims_of, signed

pytestmark = pytest.mark.time_machine(NOON, tick=False)


@pytest.mark.parametrize("seconds", [0, 1, 9.9, 10])
def test_within_ten_seconds_the_previous_token_returns_the_same_successor(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, seconds: float
) -> None:
    first = refreshed(api, signed_in["refresh"])
    use_access(api, first)
    before = rows()
    time_machine.shift(seconds)

    second = refreshed(api, signed_in["refresh"])

    assert second["refresh"] == first["refresh"]
    assert use_access(api, second) == 200
    assert rows() == before


def test_the_second_tab_gets_the_same_successor_refresh_by_cookie(
    api: APIClient, signed_in: Tokens
) -> None:
    first, second = (
        refresh_by_cookie(api, signed_in["refresh"]),
        refresh_by_cookie(api, signed_in["refresh"]),
    )

    assert first.status_code == second.status_code == 200
    assert cookie_of(first) == cookie_of(second) is not None


def test_the_ten_seconds_are_counted_from_the_rotation_and_never_extended(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    for _ in range(3):
        time_machine.shift(3)
        refreshed(api, signed_in["refresh"])
    time_machine.shift(1.001)

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


@pytest.mark.parametrize("hours", [1, 24, 6 * 24])
def test_hours_later_an_unused_successor_is_returned_once_more(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, hours: int
) -> None:
    lost = refreshed(api, signed_in["refresh"])
    before = rows()
    time_machine.shift(dt.timedelta(hours=hours))

    found = refreshed(api, signed_in["refresh"])

    assert found["refresh"] == lost["refresh"]
    assert rows() == before
    assert found["expires_in"] == 900
    assert use_access(api, found) == 200
    assert refreshed(api, found["refresh"])["refresh"] != found["refresh"]


def test_a_lost_answer_is_forgiven_as_often_as_it_is_lost(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    answers = []
    for _ in range(4):
        answers.append(refreshed(api, signed_in["refresh"])["refresh"])
        time_machine.shift(3600)

    assert len(set(answers)) == 1


def test_an_older_access_token_says_nothing_of_the_successor(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    lost = refreshed(api, signed_in["refresh"])
    assert use_access(api, signed_in) == 200
    time_machine.shift(600)

    found = refreshed(api, signed_in["refresh"])

    assert found["refresh"] == lost["refresh"]


USES = pytest.mark.parametrize("use", [use_refresh, use_access, use_verify])


@USES
def test_once_the_successor_was_used_its_predecessor_is_reuse(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    use: Callable[[APIClient, Tokens], int],
) -> None:
    newest = refreshed(api, signed_in["refresh"])
    time_machine.shift(11)
    assert use(api, newest) == 200

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    session = UserSession.objects.get()
    assert (session.is_active, session.end_reason) == (False, "reuse")


@USES
def test_tokens_fetched_again_in_the_grace_count_as_the_successor_when_used(
    time_machine: TimeMachineFixture,
    api: APIClient,
    signed_in: Tokens,
    use: Callable[[APIClient, Tokens], int],
) -> None:
    refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)
    again = refreshed(api, signed_in["refresh"])
    assert use(api, again) == 200

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


def test_a_token_two_rotations_old_is_reuse_even_at_once(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    refreshed(api, refreshed(api, signed_in["refresh"])["refresh"])

    answer = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert refusal_of(answer) == TOKEN_INVALID
    assert UserSession.objects.get().end_reason == "reuse"


def test_the_first_token_of_a_session_has_no_predecessor(api: APIClient, signed_in: Tokens) -> None:
    forged = signed({**claims_of(signed_in["refresh"]), "jti": ""})

    answer = api.post(REFRESH, {"refresh": forged})

    assert refusal_of(answer) == TOKEN_INVALID


def test_the_grace_is_as_long_as_the_settings_say(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.REFRESH_REUSE_GRACE = dt.timedelta(seconds=30)
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    time_machine.shift(29)

    assert refreshed(api, signed_in["refresh"])["refresh"] == newest["refresh"]


def test_a_lost_answer_is_forgiven_after_the_old_token_would_have_expired(
    time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens
) -> None:
    time_machine.shift(dt.timedelta(days=7, seconds=-60))
    lost = refreshed(api, signed_in["refresh"])
    time_machine.shift(3600)

    found = api.post(REFRESH, {"refresh": signed_in["refresh"]})

    assert found.status_code == 200, found.content
    assert found.json()["refresh"] == lost["refresh"]


@pytest.fixture
def replayed(time_machine: TimeMachineFixture, api: APIClient, signed_in: Tokens) -> Tokens:
    """The owner's newest tokens; the first ones are ready to be replayed."""
    newest = refreshed(api, signed_in["refresh"])
    use_access(api, newest)
    time_machine.shift(11)
    return newest


def test_reuse_ends_the_session_for_both_holders(
    api: APIClient, signed_in: Tokens, replayed: Tokens
) -> None:
    thief = api.post(REFRESH, {"refresh": signed_in["refresh"]})
    owner = api.post(REFRESH, {"refresh": replayed["refresh"]})

    assert refusal_of(thief) == refusal_of(owner) == TOKEN_INVALID
    for tokens in (signed_in, replayed):
        assert refusal_of(api.get(ME, headers=bearer(tokens["access"]))) == TOKEN_INVALID
        assert refusal_of(api.post(VERIFY, {"token": tokens["access"]})) == TOKEN_INVALID


def test_the_revocation_is_kept_although_the_answer_is_a_refusal(
    api: APIClient, signed_in: Tokens, replayed: Tokens
) -> None:
    api.post(REFRESH, {"refresh": signed_in["refresh"]})

    session = UserSession.objects.get()
    assert (session.is_active, session.end_reason) == (False, "reuse")
    assert session.ended_at == NOON + dt.timedelta(seconds=11)
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


def test_reuse_is_told_to_the_owner_by_mail(
    time_machine: TimeMachineFixture,
    api: APIClient,
    person: User,
    delivered: Callable[[], list[EmailMessage]],
) -> None:
    stolen = sign_in(api, person, device_name="Ruth's phone")
    use_access(api, refreshed(api, stolen["refresh"]))
    time_machine.shift(11)

    api.post(REFRESH, {"refresh": stolen["refresh"]})

    message = delivered()[0]
    assert message.to == [person.email]
    assert "Ruth's phone" in message.body
    assert OutgoingEmail.objects.get().kind == "token_reuse"


def test_reuse_leaves_the_persons_other_sessions_alone(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    stolen, other = sign_in(api, person), sign_in(api, person)
    use_access(api, refreshed(api, stolen["refresh"]))
    time_machine.shift(11)

    api.post(REFRESH, {"refresh": stolen["refresh"]})

    assert use_access(api, other) == 200
    assert use_refresh(api, other) == 200
    assert UserSession.objects.filter(is_active=True).get().pk.hex == claims_of(other["refresh"])[
        "sid"
    ].replace("-", "")


def test_reuse_is_audited_and_mailed_once_however_often_it_is_tried(
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


@pytest.mark.parametrize("reason", ["logout", "terminated", "reuse", "evicted", "password_change"])
def test_an_ended_session_has_no_grace(api: APIClient, signed_in: Tokens, reason: str) -> None:
    newest = refreshed(api, signed_in["refresh"])
    UserSession.objects.get().deactivate(reason)
    before = rows()

    answers = [api.post(REFRESH, {"refresh": tokens["refresh"]}) for tokens in (signed_in, newest)]

    assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 2
    assert rows() == before
