"""The owner takes back what a thief did, beside the thief's next sensitive changes."""

import datetime as dt
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import ActionToken, EmailChange, User, UserSession
from authentication.tests.api.email_changes import UNDO, request_change
from authentication.tests.api.profile import update_profile
from authentication.tests.api.second_factor import CONFIRM, begin_setup
from authentication.tests.api.taking_back import DELETE, DISOWN, in_force, stop_notices
from authentication.tests.clients import Tokens, post_as, sign_in, use_access
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [
    pytest.mark.services,
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
]

ROUNDS = 30
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def link(person: User, action: str, **subject: str) -> str:
    return ActionToken.objects.issue(
        action, user_id=person.pk, at=timezone.now(), lifetime=DAY, **subject
    )


def moved(person: User) -> str:
    """Move the account to another address; return the token of the owner's link."""
    change = EmailChange.objects.create(
        user=person,
        old_email=person.email,
        new_email=f"thief.{person.email}",
        confirmed_at=timezone.now(),
    )
    taken = User.objects.get(pk=person.pk)
    taken.email = change.new_email
    taken.save(update_fields=["email", "email_canonical"])
    return link(person, "undo_email", change=str(change.pk))


def disowned(person: User) -> str:
    session = UserSession.objects.get(user=person)
    return link(person, "disown_session", session=str(session.pk))


def thieves_acts(tokens: Tokens, name: str) -> list[Callable[[], Any]]:
    api = APIClient()
    factor = begin_setup(api, tokens)
    return [
        partial(post_as, APIClient(), tokens, CONFIRM, {"otp": factor.code()}),
        partial(update_profile, APIClient(), tokens, {"username": f"thief.{name}"}),
        partial(stop_notices, APIClient(), tokens),
        partial(request_change, APIClient(), tokens, f"third.{name}@example.net"),
        partial(post_as, APIClient(), tokens, DELETE),
    ]


@pytest.mark.parametrize(("prepare", "url"), [(moved, UNDO), (disowned, DISOWN)])
def test_nothing_of_the_thief_survives(prepare: Callable[[User], str], url: str) -> None:
    survivors, made = [], 0
    for number in range(ROUNDS):
        person = UserFactory()
        tokens = sign_in(APIClient(), person)
        token = prepare(person)
        acts = thieves_acts(tokens, str(number))
        pause = random.uniform(0, 0.12)  # noqa: S311 -- no secret

        def take_back(token: str = token, pause: float = pause) -> Any:
            time.sleep(pause)
            return APIClient().post(url, {"token": token})

        *answers, undone = all_at_once(*acts, take_back)

        assert undone.status_code == 200, undone.content
        made += sum(answer.status_code == 200 for answer in answers)
        pending = EmailChange.objects.filter(user=person).pending(at=timezone.now()).exists()
        if in_force(person) or pending or use_access(APIClient(), tokens) != 401:
            survivors.append((number, in_force(person), pending))

    assert survivors == []
    # Else every act came too late, and nothing was raced for.
    assert made > ROUNDS
