"""manage.py erase_account while a former address can still bring the account back."""

import pytest
from django.core.management import CommandError
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.api.email_changes import NEW
from authentication.tests.api.taking_back import SUBJECTS, in_force, latest, move, undo_email
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import Deliver, token_in

from .running import run_command

WHY = {"reason": "A letter from the new address"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture(autouse=True)
def _moved(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False
    move(api, signed_in, NEW, delivered)


def test_an_erasure_at_once_is_refused_and_nothing_is_sent_or_changed(
    person: User, delivered: Deliver
) -> None:
    before = len(delivered())

    with pytest.raises(CommandError, match="Until 2026-11-29 12:00 UTC its former address"):
        run_command("erase_account", email=NEW, now=True, **WHY)

    assert User.objects.get().deletion_requested_at is None
    assert len(delivered()) == before


def test_an_erasure_after_the_grace_is_told_to_the_former_address_which_stops_it(
    api: APIClient, person: User, delivered: Deliver
) -> None:
    run_command("erase_account", email=NEW, **WHY)
    delivered()

    copy = latest(delivered(), person.email, SUBJECTS["deletion"])
    undo_email(api, token_in(copy))

    assert in_force(person) == set()


def test_after_the_seven_days_it_is_erased_at_once(
    person: User, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(7 * 86_400)

    run_command("erase_account", email=NEW, now=True, **WHY)

    assert not User.objects.exists()


def test_without_a_mail_it_is_erased_as_after_a_restore(person: User) -> None:
    run_command("erase_account", email=NEW, now=True, no_mail=True, **WHY)

    assert not User.objects.exists()
