"""The User model's own methods and its table's constraints."""

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
from authentication.tests.clients import NOON
from authentication.tests.factories import PASSWORD, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


# What an account is.


def test_an_account_is_found_by_a_uuid_and_signs_in_by_email(person: User) -> None:
    assert isinstance(person.pk, uuid.UUID)
    assert User.USERNAME_FIELD == "email"
    assert User.objects.get_by_natural_key(person.email.upper()) == person


def test_the_canonical_forms_follow_the_names_whenever_they_are_written(person: User) -> None:
    person.email, person.username = "R.uth+x@GoogleMail.com", "Ruth_Moab"
    person.save()

    stored = User.objects.get()
    assert (stored.email, stored.email_canonical) == ("R.uth+x@GoogleMail.com", "ruth@gmail.com")
    assert (stored.username, stored.username_canonical) == ("Ruth_Moab", "ruth_moab")


def test_a_username_that_is_made_up_tells_nothing_of_the_address() -> None:
    one, other = (User.objects.create_user(f"ruth{n}@example.org", PASSWORD) for n in range(2))

    assert one.username != other.username
    assert "ruth" not in one.username
    assert one.username.startswith("member-")


def test_a_superuser_may_do_everything_and_has_a_proven_address() -> None:
    user = User.objects.create_superuser("root@example.org", PASSWORD)

    assert (user.is_staff, user.is_superuser, user.email_verified) == (True, True, True)
    assert user.email_verified_at == NOON


def test_an_account_is_shown_by_its_username(person: User) -> None:
    assert str(person) == person.username


# Passwords.


def test_a_password_is_stored_as_an_argon2id_hash(person: User) -> None:
    assert person.password.startswith("argon2$argon2id$")
    assert identify_hasher(person.password).algorithm == "argon2"


def test_setting_a_password_stamps_the_time_and_lifts_the_breach_flag(
    time_machine: TimeMachineFixture, person: User
) -> None:
    person.password_breached_at = NOON
    time_machine.shift(60)

    person.set_password("Another-Horse-7")

    assert person.password_changed_at == NOON + dt.timedelta(seconds=60)
    assert person.password_breached_at is None
    assert person.check_password("Another-Horse-7")
    assert not person.check_password(PASSWORD)


@pytest.mark.parametrize(
    "other", ["correct-horse-9", " Correct-Horse-9", "Correct-Horse-9 ", "Correct-Horse-", ""]
)
def test_a_password_is_taken_exactly_as_it_is(person: User, other: str) -> None:
    assert person.check_password(PASSWORD)
    assert not person.check_password(other)


def test_two_ways_to_compose_a_letter_are_one_password(person: User) -> None:
    person.set_password("Caf\u00e9-Horse-9")

    assert person.check_password("Cafe\u0301-Horse-9")


def test_compatibility_letters_are_not_folded_in_a_password(person: User) -> None:
    person.set_password("Horse-\uff19")

    assert not person.check_password("Horse-9")


def test_without_a_password_nobody_gets_in(person: User) -> None:
    person.set_password(None)

    assert not person.has_usable_password()
    assert not person.check_password("")


def test_a_hash_of_older_parameters_is_made_anew_and_tokens_stay_good(
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


def test_an_account_is_locked_for_half_an_hour(
    time_machine: TimeMachineFixture, person: User
) -> None:
    assert not person.is_account_locked()

    person.lock_account()

    person.refresh_from_db()
    assert person.locked_until == NOON + dt.timedelta(minutes=30)
    assert person.is_account_locked()
    time_machine.shift(dt.timedelta(minutes=30))
    assert not person.is_account_locked()


def test_an_account_can_be_locked_for_another_time(person: User) -> None:
    person.lock_account(dt.timedelta(days=1))

    person.refresh_from_db()
    assert person.locked_until == NOON + dt.timedelta(days=1)


def test_unlocking_lets_the_person_try_again_at_once(person: User) -> None:
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


def test_failures_while_locked_extend_nothing(
    time_machine: TimeMachineFixture, person: User
) -> None:
    for _ in range(5):
        person.record_failed_login()
    time_machine.shift(600)

    person.record_failed_login()

    assert person.locked_until == NOON + dt.timedelta(minutes=30)


def test_after_the_lock_the_count_begins_anew(
    time_machine: TimeMachineFixture, person: User
) -> None:
    for _ in range(5):
        person.record_failed_login()
    time_machine.shift(dt.timedelta(minutes=30))

    person.record_failed_login()

    assert (person.failed_login_attempts, person.locked_until) == (1, None)


def test_a_success_forgets_the_failures_and_is_noted(
    time_machine: TimeMachineFixture, person: User
) -> None:
    for _ in range(4):
        person.record_failed_login()
    time_machine.shift(60)

    person.record_successful_login()

    person.refresh_from_db()
    assert (person.failed_login_attempts, person.locked_until) == (0, None)
    assert person.last_login == NOON + dt.timedelta(seconds=60)


def test_the_threshold_and_the_time_are_settings(person: User, settings: Settings) -> None:
    settings.ACCOUNT_LOCKOUT_THRESHOLD, settings.ACCOUNT_LOCKOUT_MINUTES = 2, 5

    row = User.objects.filter(pk=person.pk)
    attempts = [row.reserve_attempt(at=timezone.now()) for _ in range(3)]

    assert attempts == [True, True, False]
    assert User.objects.get().locked_until == NOON + dt.timedelta(minutes=5)


def test_an_address_is_proven_once(person: User) -> None:
    User.objects.filter(pk=person.pk).update(email_verified=False, email_verified_at=None)

    assert [User.objects.verify_email(person.pk, at=NOON) for _ in range(2)] == [True, False]
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
def test_two_accounts_share_no_name_in_any_spelling(
    first: dict[str, str], second: dict[str, str]
) -> None:
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
def test_the_database_refuses_a_row_that_makes_no_sense(
    person: User, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=person.pk).update(**change)
