"""A thief and an owner with her mailbox, in any order of acts: the owner gets everything back.

`make stories` plays STORIES of them, from the seed STORY_SEED.
"""

import os
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from pytest_django import Settings

from authentication.models import User
from authentication.tests.factories import UserFactory
from vineyard_group_fellowship.settings.base import caches as local

from .others import OTHERS, SQUATS, SQUATTERS, SecondPerson
from .owners import OWNER, Owners
from .stage import held_request
from .thieves import THEFTS, THIEVES

BEGINNINGS = (*THEFTS, "protected", "protected", "squatted", "squatted")
ACTS = (*THIEVES, *OTHERS)
ACTS_OF_A_THEFT = 4
STORIES = int(os.environ.get("STORIES", "20"))
SEED = int(os.environ.get("STORY_SEED", "0"))
numbers = st.integers(min_value=0, max_value=11)


class Story(Owners, SecondPerson):
    """One account, its owner, and a thief or a squatter."""

    def teardown(self) -> None:
        try:
            self.owner_follows_her_mails(self.count)
            self.thief.sessions = self.thief.former
            self.assert_the_sessions_are_over()
        finally:
            self.roll_back()

    @initialize(beginning=st.sampled_from(BEGINNINGS), number=numbers)
    def begin(self, beginning: str, number: int) -> None:
        self.waited, self.acts, self.clean_since = 0, 0, timezone.now()
        if beginning == "squatted":
            self.begin_with_a_squatter(number)
            return
        hers = {"email": self.owner.address, "username": self.owner.username}
        self.pk = UserFactory(**hers, password=self.owner.password).pk
        self.owner_signs_in(0)
        if beginning == "protected":
            self.owner_enrols_a_factor(0)
            beginning = THEFTS[number % len(THEFTS)]
        getattr(self, beginning)(number)

    def begin_with_a_squatter(self, number: int) -> None:
        configured.REQUIRE_EMAIL_VERIFICATION = number % 2 == 0
        self.owner.is_in = False
        self.register(self.owner.address, SQUATTERS)
        self.pk = User.objects.get(email=self.owner.address).pk
        self.thief.passwords = [SQUATTERS]

    @rule(act=st.sampled_from(ACTS), number=numbers)
    def others_act(self, act: str, number: int) -> None:
        self.play(act, number)

    @rule(act=st.sampled_from(OWNER), number=numbers)
    def the_owner_acts(self, act: str, number: int) -> None:
        getattr(self, act)(number)

    @rule(act=st.sampled_from(ACTS), number=numbers, at=st.integers(min_value=0, max_value=2))
    def others_are_overtaken(self, act: str, number: int, at: int) -> None:
        """Let the owner follow her mails while a request of another person is on its way."""
        remedied, is_time = [], self.acts >= ACTS_OF_A_THEFT

        def meanwhile() -> None:
            remedied.append(is_time and self.follow(number))

        with held_request(meanwhile, at=at):
            self.play(act, number)
        if any(remedied):
            self.assert_nothing_of_the_thief_is_left()
            self.settle()

    def play(self, act: str, number: int) -> None:
        """Play an act; before the address is the owner's, half of them are squatters'."""
        self.acts += 1
        if not self.owner.is_in and number % 2:
            act = SQUATS[ACTS.index(act) % len(SQUATS)]
        elif not (self.thief.sessions or self.thief.passwords):
            self.steal_again(number)
        getattr(self, act)(number)

    def steal_again(self, number: int) -> None:
        if self.owner.is_in:
            getattr(self, THEFTS[number % len(THEFTS)])(number)


def play(settings_: Settings, machine: type[Any], part: int, stories: int) -> None:
    """Play stories with a seed."""
    settings_.RATELIMIT_ENABLE = False
    # Redis would count by its own clock.
    settings_.CACHES = local("")
    steps = settings(
        max_examples=stories,
        phases=(Phase.generate,),
        stateful_step_count=30,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(
        seed(2 * SEED + part)(type(f"Story{part}", (machine,), {})), settings=steps
    )


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.integration
@pytest.mark.security
@pytest.mark.parametrize("part", range(2))
def test_the_owner_gets_everything_back(settings: Settings, part: int) -> None:
    play(settings, Story, part, STORIES // 2)
