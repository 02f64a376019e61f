"""Fixtures of accounts."""

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User
from authentication.tests.clients import NOON
from authentication.tests.erasing import CANARIES, GRACE, leave_traces, stored_canaries


@pytest.fixture
def due(api: APIClient, time_machine: TimeMachineFixture) -> User:
    """Return a user with a grace period that ended a second ago."""
    user = leave_traces(api)
    User.objects.request_deletion(user.pk, at=NOON)
    assert stored_canaries() == [*CANARIES]
    time_machine.shift(GRACE.total_seconds() + 1)
    return user
