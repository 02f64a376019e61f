"""The UserSession model and the constraints of its table."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, TokenBlacklist, User, UserSession
from authentication.tests.clients import NOON
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

DAY = dt.timedelta(days=1)


def make(user: User, **fields: Any) -> UserSession:
    return UserSession.objects.create(user=user, **{"expires_at": NOON + 7 * DAY, **fields})


@pytest.fixture
def session(person: User) -> UserSession:
    return make(person, device_name="Ruth's phone")


def test_a_new_session_is_active_and_has_unique_identifiers(person: User) -> None:
    one, other = make(person), make(person)

    assert (one.is_active, one.is_verified, one.successor_seen) == (True, False, False)
    assert (one.created_at, one.last_activity_at, one.last_rotation_at) == (NOON, NOON, NOON)
    secrets = {
        item
        for row in (one, other)
        for item in (row.session_key, row.refresh_token_jti, row.access_jti)
    }
    assert len(secrets) == 6


def test_a_session_is_shown_by_its_device(person: User, session: UserSession) -> None:
    assert str(session) == f"Ruth's phone {session.pk}"
    assert str(make(person)).startswith("session ")


# Time.


@pytest.mark.parametrize(("seconds", "expired"), [(-1, False), (0, True), (1, True)])
def test_a_session_expires_at_its_expiry(
    time_machine: TimeMachineFixture, session: UserSession, seconds: int, *, expired: bool
) -> None:
    time_machine.move_to(NOON + 7 * DAY + dt.timedelta(seconds=seconds))

    assert session.is_expired() is expired
    assert session.is_live(at=NOON + 7 * DAY + dt.timedelta(seconds=seconds)) is not expired
    assert (
        UserSession.objects.live(at=NOON + 7 * DAY + dt.timedelta(seconds=seconds)).exists()
        is not expired
    )


@pytest.mark.parametrize(("hours_left", "near"), [(25, False), (24, True), (1, True), (-1, True)])
def test_a_session_is_near_its_expiry_on_its_last_day(
    time_machine: TimeMachineFixture, session: UserSession, hours_left: int, *, near: bool
) -> None:
    time_machine.move_to(NOON + 7 * DAY - dt.timedelta(hours=hours_left))

    assert session.is_near_expiry() is near
    assert session.is_near_expiry(within=dt.timedelta(days=30))


@pytest.mark.parametrize(("minutes", "needed"), [(0, False), (14, False), (15, True), (60, True)])
def test_a_session_needs_rotation_once_its_access_token_has_expired(
    time_machine: TimeMachineFixture, session: UserSession, minutes: int, *, needed: bool
) -> None:
    time_machine.shift(dt.timedelta(minutes=minutes))

    assert session.needs_rotation() is needed


@pytest.mark.parametrize(
    ("remember_me", "age", "days"),
    [(False, 0, 7), (True, 0, 14), (False, 80, 87), (False, 85, 90), (True, 85, 90)],
)
def test_the_expiry_slides_within_ninety_days(
    person: User, *, remember_me: bool, age: int, days: int
) -> None:
    session = make(person, remember_me=remember_me)

    assert session.next_expiry(at=NOON + age * DAY) == NOON + days * DAY


def test_extend_expiry_restarts_the_lifetime(
    time_machine: TimeMachineFixture, session: UserSession
) -> None:
    time_machine.shift(3 * DAY)

    session.extend_expiry()

    session.refresh_from_db()
    assert session.expires_at == NOON + 10 * DAY


def test_activity_is_stored_once_in_five_minutes(session: UserSession) -> None:
    five = dt.timedelta(minutes=5)

    assert session.activity(at=NOON + five - dt.timedelta(seconds=1)) == NOON
    assert session.activity(at=NOON + five) == NOON + five


# Rotation.


def test_a_rotation_keeps_the_previous_identifier_and_moves_the_expiry(
    time_machine: TimeMachineFixture, session: UserSession
) -> None:
    old = session.refresh_token_jti
    time_machine.shift(DAY)

    assert session.mark_rotation("new") is True

    assert (session.refresh_token_jti, session.previous_refresh_token_jti) == ("new", old)
    assert (session.last_rotation_at, session.expires_at) == (NOON + DAY, NOON + 8 * DAY)
    assert session.successor_seen is False


def test_a_second_rotation_from_the_same_state_does_nothing(session: UserSession) -> None:
    stale = UserSession.objects.get()
    session.mark_rotation("first")

    assert stale.mark_rotation("second") is False

    assert UserSession.objects.get().refresh_token_jti == stale.refresh_token_jti == "first"


def test_an_ended_session_does_not_rotate(session: UserSession) -> None:
    stale = UserSession.objects.get()
    session.deactivate()

    assert stale.mark_rotation("new") is False
    assert UserSession.objects.get().refresh_token_jti == session.refresh_token_jti != "new"


def test_a_rotation_without_an_identifier_makes_one(session: UserSession) -> None:
    old = session.refresh_token_jti

    assert session.mark_rotation() is True

    assert session.previous_refresh_token_jti == old
    assert session.refresh_token_jti not in {old, ""}


def test_an_end_is_audited_once(session: UserSession) -> None:
    assert (session.deactivate("compromised"), session.deactivate()) == (True, False)

    event = AuditLog.objects.get(event_type="session_terminated")
    assert event.user_id == session.user_id
    assert event.metadata == {"session": str(session.pk), "reason": "compromised"}


def test_a_rotation_changes_the_access_tokens_identifier(session: UserSession) -> None:
    before = session.access_jti

    session.mark_rotation("new")

    assert session.access_jti != before


@pytest.mark.parametrize(
    ("seconds", "seen", "forgiven"),
    [(0, True, True), (20, True, True), (20.001, True, False), (86_400, False, True)],
)
def test_the_previous_token_is_forgiven_briefly_or_until_its_successor_is_used(
    session: UserSession, seconds: float, *, seen: bool, forgiven: bool
) -> None:
    old = session.refresh_token_jti
    session.mark_rotation("new")
    session.successor_seen = seen
    at = NOON + dt.timedelta(seconds=seconds)

    assert session.is_in_grace(old, at=at) is forgiven
    assert session.is_in_grace("another", at=at) is False


def test_session_without_a_rotation_accepts_no_previous_token(session: UserSession) -> None:
    assert session.is_in_grace("", at=NOON) is False


# Ending.


def test_a_session_ends_once_and_its_refresh_token_is_revoked(
    time_machine: TimeMachineFixture, session: UserSession
) -> None:
    time_machine.shift(60)

    assert [session.deactivate("logout"), session.deactivate("terminated")] == [True, False]

    ended_at = NOON + dt.timedelta(seconds=60)
    assert (session.is_active, session.ended_at, session.end_reason) == (False, ended_at, "logout")
    revoked = TokenBlacklist.objects.get()
    assert (revoked.jti, revoked.user_id) == (session.refresh_token_jti, session.user_id)
    assert (revoked.reason, revoked.expires_at) == ("logout", session.expires_at)


def test_ending_sessions_counts_only_active_ones(person: User) -> None:
    sessions = [make(person) for _ in range(3)]
    other = make(UserFactory())
    sessions[0].deactivate()

    with transaction.atomic():
        count = UserSession.objects.filter(user=person).end(reason="admin", at=NOON)

    assert count == 2
    assert UserSession.objects.filter(is_active=True).get() == other
    assert TokenBlacklist.objects.filter(reason="admin").count() == 2


def test_ending_no_session_returns_zero(person: User) -> None:
    with transaction.atomic():
        assert UserSession.objects.filter(user=person).end(reason="admin", at=NOON) == 0


@pytest.mark.parametrize("active", [True, False])
def test_a_session_is_live_only_while_its_user_is_active(
    session: UserSession, *, active: bool
) -> None:
    session.user.is_active = active

    assert session.is_live(at=NOON) is active


@pytest.mark.parametrize(
    ("microseconds", "older"), [(-1, False), (0, False), (1, True), (10**6, True)]
)
def test_a_session_from_before_a_password_change_predates_it(
    session: UserSession, microseconds: int, *, older: bool
) -> None:
    session.user.password_changed_at = NOON + dt.timedelta(microseconds=microseconds)

    assert session.predates_password() is older


def test_cleanup_ends_only_expired_sessions(time_machine: TimeMachineFixture, person: User) -> None:
    expired, ended, live = make(person), make(person), make(person, expires_at=NOON + 14 * DAY)
    ended.deactivate("logout")
    time_machine.shift(8 * DAY)

    assert UserSession.cleanup_expired() == 1

    states = {
        row.pk: (row.is_active, row.end_reason, row.ended_at) for row in UserSession.objects.all()
    }
    assert states == {
        expired.pk: (False, "expired", NOON + 8 * DAY),
        ended.pk: (False, "logout", NOON),
        live.pk: (True, "", None),
    }
    assert UserSession.cleanup_expired() == 0


# What the database refuses.


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": NOON},
        {"expires_at": NOON - DAY},
        {"is_active": False, "ended_at": None},
        {"refresh_token_jti": None},
        {"user_id": None},
        {"expires_at": None},
    ],
)
def test_the_database_refuses_invalid_rows(session: UserSession, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserSession.objects.filter(pk=session.pk).update(**change)


def test_a_refresh_token_belongs_to_one_session(person: User, session: UserSession) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make(person, refresh_token_jti=session.refresh_token_jti)


def test_sessions_are_deleted_with_their_user(person: User, session: UserSession) -> None:
    tamper(person)

    assert not UserSession.objects.exists()
