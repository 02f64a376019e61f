"""Answers do not tell whether a name has an account: neither their content nor their cost."""

import collections
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.tests.answers import PER_REQUEST
from authentication.tests.clients import NOON, WRONG_PASSWORD
from authentication.tests.conftest import queries
from vineyard_group_fellowship.settings.base import caches

from .questions import KNOWN, QUESTIONS, UNKNOWN, Question, for_every_question, hashes, visible

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("ruth"),
]


@for_every_question
def test_known_and_unknown_names_get_the_same_answers(question: Question) -> None:
    # The window of the rate limit begins at another time for each address.
    its_own = PER_REQUEST | {"RateLimit", "Retry-After"}

    for _ in range(10):
        known = question.ask(question.known, "198.51.100.7")
        unknown = question.ask(question.unknown, "198.51.100.8")

        assert visible(known, ignore=its_own) == visible(unknown, ignore=its_own)
        assert (
            known.get("RateLimit", "").partition("t=")[0]
            == unknown.get("RateLimit", "").partition("t=")[0]
        )
        assert ("Retry-After" in known) == ("Retry-After" in unknown)


@pytest.mark.parametrize("about", ["login by address", "login by name"])
def test_known_and_unknown_names_are_locked_for_the_same_time(
    about: str, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    settings.RATELIMIT_ENABLE = False
    # Redis would count by its own clock.
    settings.CACHES = caches("")
    question = QUESTIONS[about]

    for minutes in (0, 0, 0, 0, 0, 1, 10, 18, 0.99, 0.02, 0):
        time_machine.shift(minutes * 60)
        known, unknown = question.ask(question.known), question.ask(question.unknown)

        assert visible(known) == visible(unknown)

    assert known.json()["code"] == "invalid_credentials"
    assert AuditLog.objects.filter(event_type="account_locked").count() == 2


@for_every_question
def test_known_and_unknown_names_need_the_same_statements(
    question: Question, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    for _ in range(3):
        known, unknown = (
            statements(question, question.known),
            statements(question, question.unknown),
        )

        # From the second time on, the unknown address is registered as well, and not proven.
        assert known == unknown


def statements(question: Question, about: str) -> collections.Counter[str]:
    with CaptureQueriesContext(connection) as captured:
        question.ask(about)
    return collections.Counter(sql.partition(" ")[0] for sql in queries(captured))


@for_every_question
def test_known_and_unknown_names_need_the_same_hashes(
    question: Question, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    for _ in range(7):
        assert hashes(question, question.known) == hashes(question, question.unknown)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"is_active": False},
        {"email_verified": False, "email_verified_at": None},
        {"password": make_password(None)},
        {"password": ""},
    ],
    ids=["active", "disabled", "unverified", "unusable", "blank"],
)
@pytest.mark.parametrize("password", [WRONG_PASSWORD, ""], ids=["wrong", "none"])
def test_a_wrong_password_is_answered_alike_for_every_state_of_an_account(
    state: dict[str, Any], password: str, ruth: User
) -> None:
    User.objects.filter(pk=ruth.pk).update(**state)
    question = Question("login", lambda about: {"email": about, "password": password})

    assert hashes(question, KNOWN) == hashes(question, UNKNOWN) == (1 if password else 0)
    assert visible(question.ask(KNOWN), ignore=PER_REQUEST | {"RateLimit"}) == visible(
        question.ask(UNKNOWN), ignore=PER_REQUEST | {"RateLimit"}
    )
