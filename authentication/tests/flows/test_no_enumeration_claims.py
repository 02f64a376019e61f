"""Registrations and corrections cost and answer the same, whatever is known about the address."""

import collections
import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, queries
from authentication.tests.factories import PASSWORD, UserFactory, unverified_user
from authentication.tests.sealing import tamper

from .questions import Question, hashes, visible

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]

# All of one length, so that Content-Length does not differ.
ADDRESSES = [f"{name}@example.org" for name in ("ann", "bea", "cat", "dee", "eve")]
FRESH, SAME, OTHER, CONTESTED, PROVEN = ADDRESSES
ANOTHER = "Another-Horse-7"


@pytest.fixture(autouse=True)
def _accounts(settings: Settings, db: None) -> None:
    settings.RATELIMIT_ENABLE = False
    unverified_user(email=SAME)
    unverified_user(email=OTHER, password=ANOTHER)
    unverified_user(email=CONTESTED, password=ANOTHER, contested_at=NOON)
    UserFactory(email=PROVEN, password=ANOTHER)


def registration(**extra: Any) -> Callable[[str], dict[str, Any]]:
    return lambda email: {"email": email, "password": PASSWORD, **extra}


QUESTIONS = {
    "plain": Question("register", registration()),
    "names and consents": Question(
        "register", registration(first_name="Ann", display_name="A.", terms_accepted=True)
    ),
}
for_every_registration = pytest.mark.parametrize(
    "question", QUESTIONS.values(), ids=QUESTIONS.keys()
)


def cost(ask: Callable[[], Any]) -> collections.Counter[str]:
    """Return the statements of a request, by verb and table."""
    with CaptureQueriesContext(connection) as captured:
        ask()
    return collections.Counter(" ".join(_shape(sql)) for sql in queries(captured))


def _shape(sql: str) -> list[str]:
    words = sql.split()
    table = next(it for it in words if it.startswith('"authentication_'))
    return [words[0], table.partition(".")[0]]


@for_every_registration
def test_every_address_costs_the_same_statements(question: Question) -> None:
    costs = {email: cost(functools.partial(question.ask, email)) for email in ADDRESSES}

    assert {email: it for email, it in costs.items() if it != costs[FRESH]} == {}


@for_every_registration
def test_every_address_costs_one_hash(question: Question) -> None:
    assert {email: hashes(question, email) for email in ADDRESSES} == dict.fromkeys(ADDRESSES, 1)


@for_every_registration
def test_every_address_gets_the_same_answer(question: Question) -> None:
    answers = [visible(question.ask(email)) for email in ADDRESSES]
    shown = [repr(it).replace(email, "") for it, email in zip(answers, ADDRESSES, strict=True)]

    assert len(set(shown)) == 1


def test_only_a_fresh_address_makes_an_account() -> None:
    for email in ADDRESSES:
        QUESTIONS["plain"].ask(email)

    assert User.objects.count() == len(ADDRESSES)
    contested = User.objects.filter(contested_at__isnull=False)
    assert {it.email for it in contested} == {OTHER, CONTESTED}


def test_a_correction_to_every_address_costs_and_answers_the_same() -> None:
    seen = []
    for number, (email, contested_at) in enumerate(itertools.product(ADDRESSES, (None, NOON))):
        asker = unverified_user(email=f"x{number}@example.org", contested_at=contested_at)
        seen.append(correction(asker.email, email))
        # The address is free again for the next one.
        tamper(User.objects.filter(email=FRESH))

    assert [it for it in seen if it != seen[0]] == []
    assert seen[0][0]["status"] == 200


def correction(identifier: str, new_email: str) -> tuple[dict[str, Any], dict[str, int]]:
    answers: list[Any] = []
    body = {"identifier": identifier, "password": PASSWORD, "new_email": new_email}

    costs = cost(lambda: answers.append(APIClient().post(f"{API}/email/correct/", body)))

    return visible(answers[0]), costs
