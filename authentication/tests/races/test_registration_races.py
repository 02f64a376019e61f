"""Concurrent registrations of one address or username."""

import pytest
from pytest_django import Settings

from authentication.models import AuditLog, OutgoingEmail, User, UserProfile
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory

from .crowd import posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

URL = f"{API}/register/"
CROWD = 12
SPELLINGS = (
    "ruth@gmail.com",
    "r.uth@gmail.com",
    "RUTH@Gmail.com",
    "ruth+a@gmail.com",
    "r.u.t.h+b@googlemail.com",
)


def spelling(number: int) -> str:
    return SPELLINGS[number % len(SPELLINGS)]


def test_one_address_in_many_spellings_makes_one_account_and_the_same_answer() -> None:
    answers = posts(CROWD, URL, lambda number: {"email": spelling(number), "password": PASSWORD})

    assert statuses(answers) == {201: CROWD}
    assert {(*answer.json().keys(), answer.json()["message"]) for answer in answers} == {
        (
            "message",
            "user_id",
            "email",
            "Registration successful. Please check your email to verify your account.",
        )
    }
    assert [answer.json()["email"] for answer in answers] == [
        spelling(number) for number in range(CROWD)
    ]
    assert len({answer.json()["user_id"] for answer in answers}) == CROWD
    assert (User.objects.count(), UserProfile.objects.count()) == (1, 1)
    assert User.objects.get().email_canonical == "ruth@gmail.com"
    kinds = list(OutgoingEmail.objects.values_list("kind", flat=True))
    # The address is not proven yet, so that each registration mails the link.
    assert kinds == ["verification"] * CROWD
    events = list(AuditLog.objects.values_list("event_type", flat=True))
    assert (events.count("registration"), events.count("registration_duplicate")) == (1, CROWD - 1)


def test_without_enumeration_protection_a_proven_address_gets_a_400(settings: Settings) -> None:
    settings.PREVENT_EMAIL_ENUMERATION = False
    owner = UserFactory(email="ruth@gmail.com")

    answers = posts(CROWD, URL, lambda number: {"email": spelling(number), "password": PASSWORD})

    assert statuses(answers) == {400: CROWD}
    assert {tuple(answer.json()["errors"]) for answer in answers} == {("email",)}
    assert User.objects.get() == owner


def test_concurrent_registrations_of_one_username_create_one_account() -> None:
    names = ("ruth", "Ruth", "RUTH", "\uff52uth")

    answers = posts(
        CROWD,
        URL,
        lambda number: {
            "email": f"ruth{number}@example.org",
            "password": PASSWORD,
            "username": names[number % len(names)],
        },
    )

    assert statuses(answers) == {201: 1, 400: CROWD - 1}
    assert {tuple(answer.json()["errors"]) for answer in answers if answer.status_code == 400} == {
        ("username",)
    }
    winner = next(answer.json() for answer in answers if answer.status_code == 201)
    assert (str(User.objects.get().pk), User.objects.get().email) == (
        winner["user_id"],
        winner["email"],
    )
    assert UserProfile.objects.count() == 1
    assert list(OutgoingEmail.objects.values_list("kind", flat=True)) == ["verification"]


def test_one_address_with_one_username_makes_one_account() -> None:
    answers = posts(
        CROWD,
        URL,
        lambda number: {"email": spelling(number), "password": PASSWORD, "username": "ruth_moab"},
    )

    assert statuses(answers) == {201: 1, 400: CROWD - 1}
    assert User.objects.count() == 1


def test_different_people_at_the_same_moment_all_become_members() -> None:
    answers = posts(
        CROWD, URL, lambda number: {"email": f"ruth{number}@example.org", "password": PASSWORD}
    )

    assert statuses(answers) == {201: CROWD}
    assert {answer.json()["user_id"] for answer in answers} == {
        str(pk) for pk in User.objects.values_list("pk", flat=True)
    }
