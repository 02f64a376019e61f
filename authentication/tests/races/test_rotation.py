"""A rotation in one statement writes what the plain transaction writes."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from authentication.models import AuditLog, TokenBlacklist, User, UserSession, rotation
from authentication.tests.factories import UserFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NOW = timezone.now().replace(microsecond=123456)
WAYS = (rotation._in_one_statement, rotation._in_a_transaction)
# What two rotations cannot share.
OWN = {"id", "user_id", "session_key", "blacklisted_at", "timestamp", "_state"}


def new_session(number: int) -> UserSession:
    begun = NOW - dt.timedelta(hours=1)
    return UserSession.objects.create(
        user=UserFactory(),
        refresh_token_jti=f"old-{number}",
        created_at=begun,
        last_activity_at=begun,
        last_rotation_at=begun,
        successor_seen=True,
        expires_at=NOW + dt.timedelta(days=2),
    )


def refresh_event(session: UserSession) -> AuditLog:
    return AuditLog(
        event_type=AuditLog.Event.TOKEN_REFRESH,
        user_id=session.user_id,
        ip_address="2001:db8::7",
        user_agent='App\'s "agent" 100 % {1}',
        correlation_id="abc",
        metadata={"session": "it's one", "quote": '"'},
    )


def rotate(way: Any, session: UserSession, number: int, event: AuditLog | None) -> bool:
    done: bool = way(session, event, new=f"new-{number}", at=NOW, client_digest="digest")
    return done


def shared(row: Any, number: int) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if name not in OWN}
    return {
        name: value.replace(f"-{number}", "") if isinstance(value, str) else value
        for name, value in values.items()
    }


def written_for(user: User, number: int) -> list[dict[str, Any]]:
    rows = [
        *UserSession.objects.filter(user=user),
        *TokenBlacklist.objects.filter(user=user),
        *AuditLog.objects.filter(user=user),
    ]
    return [shared(row, number) for row in rows]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_both_ways_write_the_same_rows(*, is_recorded: bool) -> None:
    written = []
    for number, way in enumerate(WAYS):
        session = new_session(number)
        event = refresh_event(session) if is_recorded else None
        assert rotate(way, session, number, event)
        written.append(written_for(session.user, number))

    assert written[0] == written[1]
    assert len(written[0]) == (3 if is_recorded else 2)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "change", [{"refresh_token_jti": "another"}, {"is_active": False, "ended_at": NOW}]
)
def test_both_ways_write_nothing_after_another_request(way: Any, change: dict[str, Any]) -> None:
    session = new_session(1)
    UserSession.objects.filter(pk=session.pk).update(**change)
    before = written_for(session.user, 1)

    assert not rotate(way, session, 1, refresh_event(session))
    assert written_for(session.user, 1) == before


@pytest.mark.parametrize("way", WAYS)
def test_both_ways_take_a_token_that_is_revoked_already(way: Any) -> None:
    session = new_session(1)
    TokenBlacklist.blacklist_token(jti="old-1", user=session.user, reason="compromised")

    assert rotate(way, session, 1, None)
    assert TokenBlacklist.objects.get().reason == "compromised"
