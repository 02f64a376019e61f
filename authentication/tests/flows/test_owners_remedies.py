"""An owner does what her mails say, and nothing of a thief works or is pending after it.

Each test is a story of fuzz/test_stories.py that once went wrong.
"""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.api.email_changes import NEW
from authentication.tests.api.second_factor import CONFIRM, begin_setup
from authentication.tests.api.taking_back import move, notice, reset_status, undo_email
from authentication.tests.clients import NEW_PASSWORD, NOON, Tokens, log_in, post_as, sign_in
from authentication.tests.conftest import Deliver
from authentication.tests.removals import has_factor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.integration,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def choose_a_password(api: APIClient, undone: dict[str, Any]) -> None:
    assert reset_status(api, undone["reset_token"]) == 200


class TestSeedOfferedBefore:
    def test_a_reset_voids_it(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        thief = sign_in(api, person)
        offered = begin_setup(api, thief)
        move(api, thief, NEW, delivered)
        choose_a_password(api, undo_email(api, notice(delivered(), person.email)))

        stolen = log_in(api, person, NEW_PASSWORD).json()
        answer = post_as(api, stolen, CONFIRM, {"otp": offered.code()})

        assert answer.status_code == 400
        assert not has_factor(person)
