"""The User model and the constraints of its table."""

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher, make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.clients import NEW_PASSWORD, NOON
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


# Names.


def test_a_user_has_a_uuid_and_is_found_by_email(person: User) -> None:
    assert isinstance(person.pk, uuid.UUID)
    assert User.USERNAME_FIELD == "email"
    assert User.objects.get_by_natural_key(person.email.upper()) == person


def test_canonical_names_follow_the_names(person: User) -> None:
    person.email, person.username = "R.uth+x@GoogleMail.com", "Ruth_Moab"
    person.save()

    stored = User.objects.get()
    assert (stored.email, stored.email_canonical) == ("R.uth+x@GoogleMail.com", "ruth@gmail.com")
    assert (stored.username, stored.username_canonical) == ("Ruth_Moab", "ruth_moab")


def test_a_generated_username_does_not_contain_the_address() -> None:
    one, other = (User.objects.create_user(f"ruth{n}@example.org", PASSWORD) for n in range(2))

    assert one.username != other.username
    assert "ruth" not in one.username
    assert one.username.startswith("member-")


def test_a_superuser_has_a_verified_address() -> None:
    user = User.objects.create_superuser("root@example.org", PASSWORD)

    assert (user.is_staff, user.is_superuser, user.email_verified) == (True, True, True)
    assert user.email_verified_at == NOON


def test_a_user_is_shown_by_username(person: User) -> None:
    assert str(person) == person.username


# Passwords.


def test_a_password_is_stored_as_an_argon2id_hash(person: User) -> None:
    assert person.password.startswith("argon2$argon2id$")
    assert identify_hasher(person.password).algorithm == "argon2"


def test_setting_a_password_stores_the_time_and_clears_the_breach_flag(
    time_machine: TimeMachineFixture, person: User
) -> None:
    person.password_breached_at = NOON
    time_machine.shift(60)

    person.set_password(NEW_PASSWORD)

    assert person.password_changed_at == NOON + dt.timedelta(seconds=60)
    assert person.password_breached_at is None
    assert person.check_password(NEW_PASSWORD)
    assert not person.check_password(PASSWORD)


@pytest.mark.parametrize(
    "other", ["correct-horse-9", " Correct-Horse-9", "Correct-Horse-9 ", "Correct-Horse-", ""]
)
def test_another_spelling_of_a_password_is_refused(person: User, other: str) -> None:
    assert person.check_password(PASSWORD)
    assert not person.check_password(other)


def test_composed_and_decomposed_letters_are_the_same_password(person: User) -> None:
    person.set_password("Caf\u00e9-Horse-9")

    assert person.check_password("Cafe\u0301-Horse-9")


def test_compatibility_letters_are_not_folded_in_a_password(person: User) -> None:
    person.set_password("Horse-\uff19")

    assert not person.check_password("Horse-9")


def test_an_account_without_a_password_matches_none(person: User) -> None:
    person.set_password(None)

    assert not person.has_usable_password()
    assert not person.check_password("")


def test_an_older_hash_is_renewed_without_a_password_change(
    time_machine: TimeMachineFixture, person: User, settings: Settings
) -> None:
    settings.ARGON2_TIME_COST = 2
    User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD))
    settings.ARGON2_TIME_COST = 3
    person.refresh_from_db()
    changed_at = person.password_changed_at
    time_machine.shift(60)

    assert person.check_password(PASSWORD)

    person.refresh_from_db()
    assert ",t=3," in person.password
    assert person.password_changed_at == changed_at


# Locking.


def test_a_lock_lasts_half_an_hour(time_machine: TimeMachineFixture, person: User) -> None:
    assert not person.is_account_locked()

    person.lock_account()

    person.refresh_from_db()
    assert person.locked_until == NOON + dt.timedelta(minutes=30)
    assert person.is_account_locked()
    time_machine.shift(dt.timedelta(minutes=30))
    assert not person.is_account_locked()


def test_a_lock_may_have_another_duration(person: User) -> None:
    person.lock_account(dt.timedelta(days=1))

    person.refresh_from_db()
    assert person.locked_until == NOON + dt.timedelta(days=1)


def test_unlocking_resets_the_lock_and_the_count(person: User) -> None:
    User.objects.filter(pk=person.pk).update(
        failed_login_attempts=5, locked_until=NOON + dt.timedelta(minutes=5)
    )
    person.refresh_from_db()

    person.unlock_account()

    person.refresh_from_db()
    assert (person.failed_login_attempts, person.locked_until, person.is_account_locked()) == (
        0,
        None,
        False,
    )


def test_the_fifth_failure_locks(person: User) -> None:
    states = []
    for _ in range(5):
        person.record_failed_login()
        states.append((person.failed_login_attempts, person.is_account_locked()))

    assert states == [(1, False), (2, False), (3, False), (4, False), (5, True)]
    person.refresh_from_db()
    assert person.locked_until == NOON + dt.timedelta(minutes=30)


def test_failures_during_a_lock_do_not_extend_it(
    time_machine: TimeMachineFixture, person: User
) -> None:
    for _ in range(5):
        person.record_failed_login()
    time_machine.shift(600)

    person.record_failed_login()

    assert person.locked_until == NOON + dt.timedelta(minutes=30)


def test_the_count_restarts_after_a_lock(time_machine: TimeMachineFixture, person: User) -> None:
    for _ in range(5):
        person.record_failed_login()
    time_machine.shift(dt.timedelta(minutes=30))

    person.record_failed_login()

    assert (person.failed_login_attempts, person.locked_until) == (1, None)


def test_a_success_resets_the_count_and_is_stored(
    time_machine: TimeMachineFixture, person: User
) -> None:
    for _ in range(4):
        person.record_failed_login()
    time_machine.shift(60)

    person.record_successful_login()

    person.refresh_from_db()
    assert (person.failed_login_attempts, person.locked_until) == (0, None)
    assert person.last_login == NOON + dt.timedelta(seconds=60)


def test_settings_give_the_threshold_and_the_duration(person: User, settings: Settings) -> None:
    settings.ACCOUNT_LOCKOUT_THRESHOLD, settings.ACCOUNT_LOCKOUT_MINUTES = 2, 5

    row = User.objects.filter(pk=person.pk)
    attempts = [row.reserve_attempt(at=timezone.now()) for _ in range(3)]

    assert attempts == [True, True, False]
    assert User.objects.get().locked_until == NOON + dt.timedelta(minutes=5)


def test_an_address_is_verified_once() -> None:
    newcomer = unverified_user()

    assert [User.objects.verify_email(newcomer.pk, at=NOON) for _ in range(2)] == [True, False]
    assert User.objects.get().email_verified_at == NOON


# What the database refuses.


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"email": "ruth@example.org"}, {"email": "ruth@example.org"}),
        ({"email": "ruth@example.org"}, {"email": "RUTH@Example.org"}),
        ({"email": "ruth@gmail.com"}, {"email": "r.u.t.h+x@googlemail.com"}),
        ({"username": "ruth"}, {"username": "ruth"}),
        ({"username": "ruth"}, {"username": "RUTH"}),
        ({"username": "coco"}, {"username": "\u0441\u043e\u0441\u043e"}),
    ],
)
def test_a_name_is_unique_in_any_spelling(first: dict[str, str], second: dict[str, str]) -> None:
    UserFactory(**first)

    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(**second)

    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"email_verified": True, "email_verified_at": None},
        {"failed_login_attempts": -1},
        {"email": None},
        {"username": None},
        {"password_changed_at": None},
    ],
)
def test_the_database_refuses_invalid_rows(person: User, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(**change)
