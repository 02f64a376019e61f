"""A removal of a second factor by staff, raced against everything that can end it."""

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.exceptions import PermissionRefused
from authentication.models import ActionToken, AuditLog, OutgoingEmail, SecondFactorRemoval, User
from authentication.services import SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory, give_factor

from .crowd import all_at_once

pytestmark = [
    pytest.mark.services,
    pytest.mark.security,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("many connections"),
]

ROUNDS = 30


class Round:
    """One user with a factor, a removal that is due, and everything that can end it."""

    def __init__(self) -> None:
        self.user = UserFactory()
        self.staff, self.second = (UserFactory(is_staff=True, is_superuser=True) for _ in "ab")
        self.tokens = sign_in(APIClient(), self.user, otp=give_factor(self.user).code())
        self.user.refresh_from_db()
        since = self.user.second_factor_at
        assert since
        long_ago = timezone.now() - dt.timedelta(hours=25)
        self.removal = SecondFactorRemoval.objects.create(
            user=self.user,
            factor_since=since,
            reason="The phone is lost.",
            requested_by=self.staff,
            requested_at=long_ago,
        )
        OutgoingEmail.objects.create(
            user=self.user,
            kind="second_factor_removal",
            context={"removal": str(self.removal.pk)},
            status="sent",
            sent_at=long_ago,
        )
        self.link = ActionToken.objects.issue(
            ActionToken.Action.STOP_FACTOR_REMOVAL,
            user_id=self.user.pk,
            at=timezone.now(),
            lifetime=dt.timedelta(days=1),
            removal=str(self.removal.pk),
        )

    def due(self) -> bool:
        return SecondFactorRemovalService.carry_out_due() == 1

    def confirm(self) -> bool:
        return self._decide(SecondFactorRemovalService.confirm)

    def cancel(self) -> bool:
        return self._decide(SecondFactorRemovalService.cancel)

    def stop(self) -> bool:
        return APIClient().post(f"{API}/2fa/removal/stop/", {"token": self.link}).status_code == 200

    def disable(self) -> bool:
        headers = bearer(self.tokens["access"])
        return APIClient().post(f"{API}/2fa/disable/", headers=headers).status_code == 200

    def _decide(self, act: Callable[..., Any]) -> bool:
        try:
            act(self.removal, by=ActedBy(self.second))
        except PermissionRefused:
            return False
        return True

    def check(self) -> None:
        """Check that the removal ended once, and that the factor is as the outcome says."""
        self.removal.refresh_from_db()
        has_factor = User.objects.get(pk=self.user.pk).second_factor_at is not None
        disabled = AuditLog.objects.filter(user=self.user, event_type="second_factor_disabled")
        assert self.removal.ended_at is not None
        assert disabled.count() == (0 if has_factor else 1)
        removed = disabled.filter(metadata__change="removed").exists()
        assert removed == (self.removal.outcome == "carried_out")


@pytest.fixture(autouse=True)
def _no_limits(settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False


def test_a_removal_ends_once_whatever_races_for_it() -> None:
    pairs = [*itertools.combinations(("due", "confirm", "cancel", "stop"), 2), ("due", "due")]
    for names in itertools.islice(itertools.cycle(pairs), ROUNDS):
        race = Round()

        done = all_at_once(*(getattr(race, name) for name in names))

        assert sorted(done) == [False, True], (names, done)
        race.check()


@pytest.mark.parametrize("other", ["due", "confirm"])
def test_a_removal_beside_the_users_own_removes_the_factor_once(other: str) -> None:
    for _ in range(ROUNDS // 3):
        race = Round()

        all_at_once(race.disable, getattr(race, other))

        assert User.objects.get(pk=race.user.pk).second_factor_at is None
        race.check()
