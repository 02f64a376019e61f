"""The EmailVerificationToken model and the constraints of its table."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailVerificationToken, User
from authentication.tests.clients import NOON
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory, unverified_user
from authentication.tests.sealing import tamper
from authentication.utils.crypto import digest

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

DAY = dt.timedelta(days=1)


@pytest.fixture
def person(db: None) -> User:
    """Return a person whose address is not proven yet."""
    return unverified_user()


def issue(person: User) -> str:
    """Issue a token for the user's address; return it."""
    return EmailVerificationToken.objects.issue(person.pk, email=person.email, at=NOON)


def test_only_the_digest_of_a_token_is_stored(person: User) -> None:
    token = issue(person)

    stored = EmailVerificationToken.objects.values(
        "user_id", "email", "token", "created_at", "expires_at", "verified_at"
    )
    assert stored.get() == {
        "user_id": person.pk,
        "email": person.email,
        "token": digest(token),
        "created_at": NOON,
        "expires_at": NOON + DAY,
        "verified_at": None,
    }


def test_the_lifetime_is_a_setting(person: User, settings: Settings) -> None:
    settings.EMAIL_VERIFICATION_LIFETIME = dt.timedelta(hours=2)
    issue(person)

    assert EmailVerificationToken.objects.get().expires_at == NOON + dt.timedelta(hours=2)
    bare = EmailVerificationToken.objects.create(user=person, email=person.email, token="x")
    assert bare.expires_at == NOON + dt.timedelta(hours=2)


@pytest.mark.parametrize(
    ("seconds", "valid"), [(0, True), (86_399, True), (86_400, False), (10**6, False)]
)
def test_a_token_is_valid_for_a_day(
    time_machine: TimeMachineFixture, person: User, seconds: int, *, valid: bool
) -> None:
    issue(person)
    row = EmailVerificationToken.objects.get()
    time_machine.shift(seconds)

    assert row.is_valid() is valid
    assert row.verify() is valid


def test_a_token_works_once(time_machine: TimeMachineFixture, person: User) -> None:
    issue(person)
    row, stale = EmailVerificationToken.objects.get(), EmailVerificationToken.objects.get()
    time_machine.shift(60)

    assert [row.verify(), row.verify(), stale.verify()] == [True, False, False]

    assert row.verified_at == NOON + dt.timedelta(seconds=60)
    assert row.is_valid() is False


def test_a_token_is_spent_once(person: User) -> None:
    token = issue(person)

    assert [EmailVerificationToken.objects.spend(token, at=NOON) for _ in range(2)] == [True, False]


@pytest.mark.parametrize("wrong", ["", "another", "{digest}"])
def test_another_text_does_not_spend_the_token(person: User, wrong: str) -> None:
    token = issue(person)

    assert not EmailVerificationToken.objects.spend(
        wrong.replace("{digest}", digest(token)), at=NOON
    )
    assert EmailVerificationToken.objects.get().is_valid()


def test_a_new_token_voids_only_older_tokens_of_its_user(person: User) -> None:
    other = UserFactory()
    older, foreign = issue(person), issue(other)

    newer = issue(person)

    spend = EmailVerificationToken.objects.spend
    assert [spend(token, at=NOON) for token in (older, newer, foreign)] == [False, True, True]


def test_verify_proves_the_address(person: User) -> None:
    issue(person)

    assert EmailVerificationToken.objects.get().verify()

    person.refresh_from_db()
    assert (person.email_verified, person.email_verified_at) == (True, NOON)
    event = AuditLog.objects.get()
    assert (event.event_type, event.user_id) == (AuditLog.Event.EMAIL_VERIFIED, person.pk)


def test_verify_takes_the_password_of_a_contested_account(person: User) -> None:
    User.objects.filter(pk=person.pk).update(contested_at=NOON)
    issue(person)

    assert EmailVerificationToken.objects.get().verify()

    person.refresh_from_db()
    assert not person.has_usable_password()


@pytest.mark.parametrize("change", [{"is_active": False}, {"email_canonical": "moved@example.org"}])
def test_verify_refuses_another_account_than_the_link_was_for(
    person: User, change: dict[str, Any]
) -> None:
    User.objects.filter(pk=person.pk).update(**change)
    issue(person)
    row = EmailVerificationToken.objects.get()

    assert row.verify() is False

    assert row.is_valid()
    person.refresh_from_db()
    assert not person.email_verified


def test_resend_voids_the_token_and_mails_a_new_link(person: User, delivered: Deliver) -> None:
    older = issue(person)
    row = EmailVerificationToken.objects.get()

    row.resend()
    row.refresh_from_db()
    assert not row.is_valid()
    token = re.search(r"token=([\w-]+)", str(delivered()[-1].body))

    assert row.verify() is False
    assert token
    assert token[1] != older
    assert EmailVerificationToken.objects.unused().get().token == digest(token[1])


def test_a_new_token_keeps_the_record_of_a_used_one(person: User) -> None:
    EmailVerificationToken.objects.spend(issue(person), at=NOON)

    issue(person)

    assert EmailVerificationToken.objects.filter(verified_at=NOON).count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": NOON},
        {"expires_at": NOON - DAY},
        {"token": None},
        {"user_id": None},
        {"email": None},
    ],
)
def test_the_database_refuses_invalid_rows(person: User, change: dict[str, Any]) -> None:
    issue(person)

    with pytest.raises(IntegrityError), transaction.atomic():
        EmailVerificationToken.objects.update(**change)


def test_a_token_is_unique(person: User) -> None:
    token = issue(person)

    with pytest.raises(IntegrityError), transaction.atomic():
        EmailVerificationToken.objects.create(user=person, email=person.email, token=digest(token))


def test_tokens_are_deleted_with_their_user(person: User) -> None:
    issue(person)

    tamper(person)

    assert not EmailVerificationToken.objects.exists()
