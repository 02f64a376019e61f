"""Attempts are counted by compiled statements as the ORM would count them."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from authentication.models import (
    KnownDevice,
    LockReason,
    User,
    clear_on_account,
    clear_on_device,
    find_account,
    reserve_on_account,
    reserve_on_device,
)
from authentication.models.compiled import CompiledUpdate
from authentication.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now()
HOUR = dt.timedelta(hours=1)
COUNTS: dict[str, dict[str, Any]] = {
    "no failures": {},
    "some failures": {"failed_login_attempts": 3},
    "the last attempt": {"failed_login_attempts": 4},
    "locked": {"failed_login_attempts": 5, "locked_until": NOW + HOUR},
    "a lock that ended": {"failed_login_attempts": 5, "locked_until": NOW - HOUR},
}
GUESSED = {"lock_reason": LockReason.GUESSED}
FIELDS = ("failed_login_attempts", "locked_until")


def accounts(**state: Any) -> tuple[Any, Any]:
    """Return two accounts in the same state."""
    pair = [UserFactory(**state) for _ in range(2)]
    one, other = (User.objects.filter(pk=it.pk) for it in pair)
    return one, other


def devices(**state: Any) -> tuple[Any, Any]:
    """Return a known device of each of two accounts, in the same state."""
    pair = [KnownDevice.objects.create(user=UserFactory(), digest="d", **state) for _ in range(2)]
    one, other = (KnownDevice.objects.filter(pk=it.pk) for it in pair)
    return one, other


def assert_same(one: Any, other: Any, *more: str) -> None:
    assert one.values_list(*FIELDS, *more).get() == other.values_list(*FIELDS, *more).get()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("reason", ["", LockReason.GUESSED])
def test_an_accounts_attempt(count: str, reason: str) -> None:
    compiled, plain = accounts(**COUNTS[count], lock_reason=reason)

    has_room = reserve_on_account(compiled.get().pk, at=NOW)

    assert has_room == plain.reserve_attempt(at=NOW, **GUESSED) == (count != "locked")
    assert_same(compiled, plain, "lock_reason")


@pytest.mark.parametrize("count", COUNTS)
def test_a_devices_attempt(count: str) -> None:
    compiled, plain = devices(**COUNTS[count])

    has_room = reserve_on_device(compiled.get().user_id, "d", at=NOW)

    assert has_room == plain.reserve_attempt(at=NOW) == (count != "locked")
    assert_same(compiled, plain)


@pytest.mark.parametrize("count", COUNTS)
def test_a_right_password_on_an_account(count: str) -> None:
    guessed, cleared = accounts(**COUNTS[count], **GUESSED)
    by_hand, untouched = accounts(locked_until=NOW + HOUR, failed_login_attempts=2)

    clear_on_account(guessed.get().pk)
    clear_on_account(by_hand.get().pk)

    cleared.clear_attempts()
    assert_same(guessed, cleared)
    assert_same(by_hand, untouched)


@pytest.mark.parametrize("count", COUNTS)
def test_a_right_password_on_a_device(count: str) -> None:
    compiled, plain = devices(**COUNTS[count])

    clear_on_device(compiled.get().user_id, "d", at=NOW)

    plain.clear_attempts(last_used_at=NOW)
    assert_same(compiled, plain, "last_used_at")


def test_a_device_of_another_account_is_not_counted() -> None:
    mine, others = devices()

    assert not reserve_on_device(mine.get().user_id, "another", at=NOW)

    assert_same(mine, others)


def test_the_settings_are_read_at_each_attempt(settings: Settings) -> None:
    account, _ = accounts()
    reserve_on_account(account.get().pk, at=NOW)
    settings.ACCOUNT_LOCKOUT_THRESHOLD, settings.ACCOUNT_LOCKOUT_MINUTES = 2, 7

    reserve_on_account(account.get().pk, at=NOW)

    assert account.get().locked_until == NOW + dt.timedelta(minutes=7)


def test_an_account_is_found_whole_by_each_name() -> None:
    person = UserFactory(first_name="Ruth")

    by_address, by_username = (
        find_account(person.email_canonical),
        find_account(person.username_canonical),
    )

    fields = [field.attname for field in User._meta.concrete_fields]
    stored = User.objects.get(pk=person.pk)
    for found in (by_address, by_username):
        assert found == stored
        assert [getattr(found, it) for it in fields] == [getattr(stored, it) for it in fields]
    assert find_account("nobody@example.org") is None


def test_a_sample_value_that_the_orm_leaves_out_is_refused() -> None:
    def build(last: int) -> Any:
        # No row has fewer than 0 failures, so there is nothing to compare.
        return User.objects.filter(failed_login_attempts__gte=last), {"locked_until": None}

    with pytest.raises(TypeError, match="no place for 'last'"):
        CompiledUpdate(build, last=-1).sql(last=3)
    assert CompiledUpdate(build, last=9).sql(last=3)[1] == [3]
