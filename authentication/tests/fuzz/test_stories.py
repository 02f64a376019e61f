"""A thief and an owner with her mailbox, in any order of acts: the owner gets everything back.

`make stories` plays STORIES of them, from the seed STORY_SEED.
"""

import os
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from pytest_django import Settings

from authentication.models import EmailChange, UserSession
from authentication.tests.conftest import API
from vineyard_group_fellowship.settings.base import caches as local

from .people import Link
from .thieves import PAGES, UNDO_PAGES, Thieves, held_request

PAUSES = (1, 11, 61, 16 * 60, 61 * 60, 6 * 60 * 60, 86_400)
# The owner reads her mail within the seven days of its links.
LONGEST = 5 * 86_400
THEFT = ("steal_the_session", "learn_the_password")
ACTS = (
    *("thief_signs_in", "thief_signs_in", "thief_proves", "thief_proves", "thief_refreshes"),
    *("thief_moves_the_address", "thief_moves_the_address", "thief_moves_the_address"),
    *("thief_opens_a_link", "thief_opens_a_link", "thief_opens_a_link", "thief_opens_a_link"),
    *("thief_asks_for_a_reset", "thief_changes_the_password", "thief_enrols_a_factor"),
    *("thief_enrols_a_factor", "thief_changes_the_username", "thief_stops_the_notices"),
    *("thief_asks_for_deletion", "thief_asks_for_an_export", "thief_ends_the_other_sessions"),
    *("thief_disowns_a_device", "staff_unlock", "staff_end_the_sessions"),
    *("second_person_asks", "second_person_asks"),
)
OWNER = ("time_passes", "time_passes", "owner_signs_in", "owner_follows_her_mails", "steal_again")
STORIES = int(os.environ.get("STORIES", "20"))
SEED = int(os.environ.get("STORY_SEED", "0"))


class Story(Thieves):
    """One account, its owner, and a thief."""

    def teardown(self) -> None:
        try:
            self.owner_follows_her_mails(0)
        finally:
            self.roll_back()

    @initialize(theft=st.sampled_from(THEFT))
    def begin(self, theft: str) -> None:
        self.waited = 0
        self.clean_since = timezone.now()
        self.owner_signs_in(0)
        getattr(self, theft)(0)

    @rule(act=st.sampled_from(ACTS), number=st.integers(min_value=0, max_value=9))
    def the_thief_acts(self, act: str, number: int) -> None:
        getattr(self, act)(number)

    @rule(act=st.sampled_from(OWNER), number=st.integers(min_value=0, max_value=9))
    def the_owner_acts(self, act: str, number: int) -> None:
        getattr(self, act)(number)

    @rule(act=st.sampled_from(ACTS), number=st.integers(min_value=0, max_value=9))
    def the_thief_is_overtaken(self, act: str, number: int) -> None:
        """Let the owner follow her mails while a request of the thief is on its way."""
        remedied = []

        def meanwhile() -> None:
            remedied.append(self.follow(0))

        with held_request(meanwhile):
            getattr(self, act)(number)
        if any(remedied):
            self.assert_nothing_of_the_thief_is_left()
            self.settle()

    def time_passes(self, number: int) -> None:
        pause = PAUSES[number % len(PAUSES)]
        if self.waited + pause <= LONGEST:
            self.waited += pause
            self.clock.shift(pause)

    def owner_signs_in(self, number: int) -> None:
        answer = self.sign_in(self.owner.password, self.owner.device_id)
        if answer.status_code == 200:
            self.owner.tokens = answer.json()
            self.owner.device_id = self.owner.tokens["device_id"]

    def steal_again(self, number: int) -> None:
        if not self.thief.acts:
            getattr(self, THEFT[number % len(THEFT)])(number)

    def owner_follows_her_mails(self, number: int) -> None:
        if self.follow(number):
            self.assert_nothing_of_the_thief_is_left()
            self.settle()

    def follow(self, number: int) -> bool:
        """Open every link of the owner's that takes something back; then choose a password.

        Returns False if no mail asks for it.
        """
        self.mailboxes.fetch()
        links = [it for it in self.owners_links() if it.page in UNDO_PAGES]
        if not self.thief.acts or not links:
            return False
        token = ""
        for link in links if number % 2 else reversed(links):
            answer = self.open(link)
            token = answer.json().get("reset_token", token)
        self.owner.password = self.next_password()
        body = {"token": token or self.reset_token(), "new_password": self.owner.password}
        answer = self.send("post", PAGES["reset-password"], body)
        assert answer.status_code == 200, answer.content
        return True

    def reset_token(self) -> str:
        """Ask for a link to choose a new password, when its mail is not over the limit."""
        self.clock.shift(3601)
        self.send("post", f"{API}/password/reset/", {"email": self.owner.address})
        self.mailboxes.fetch()
        return self.mailboxes.links(self.owner.address, page="reset-password")[-1].token

    def owners_links(self) -> list[Link]:
        mine = self.mailboxes.links(self.owner.address)
        return [link for link in mine if link.arrived_at >= self.clean_since]

    def settle(self) -> None:
        """Begin the next theft: all is the owner's."""
        self.clock.shift(11)
        self.clean_since, self.waited = timezone.now(), 0
        self.thief.sessions, self.thief.passwords, self.thief.acts = [], [], []
        self.thief.factor, self.owner.tokens = None, {}
        self.owner_signs_in(0)
        assert self.owner.tokens, "The owner cannot sign in."

    def assert_nothing_of_the_thief_is_left(self) -> None:
        user = self.user()
        assert user.email == self.owner.address
        assert user.username == self.owner.username
        assert user.check_password(self.owner.password)
        assert user.second_factor_at is None
        assert user.deletion_requested_at is None
        assert user.notices_stopped_at is None
        assert not EmailChange.objects.filter(user=user).pending(at=timezone.now()).exists()
        for tokens in self.thief.sessions:
            self.assert_refused("post", f"{API}/token/verify/", {"token": tokens["access"]})
            self.assert_refused("post", f"{API}/token/refresh/", {"refresh": tokens["refresh"]})
        assert not UserSession.objects.filter(user=user).live(at=timezone.now()).exists()
        self.mailboxes.fetch()
        for link in self.mailboxes.links(*self.thief.addresses):
            if link.page in PAGES:
                body = {"token": link.token, "new_password": self.next_password()}
                self.assert_refused("post", PAGES[link.page], body)
        assert self.user().check_password(self.owner.password)

    def assert_refused(self, method: str, url: str, body: Any) -> None:
        answer = self.send(method, url, body)
        assert answer.status_code in {400, 401}, (url, body, answer.content)


def play(settings_: Settings, machine: type[Story], part: int, stories: int) -> None:
    """Play stories with a seed."""
    settings_.RATELIMIT_ENABLE = False
    # Redis would count by its own clock.
    settings_.CACHES = local("")
    steps = settings(
        max_examples=stories,
        phases=(Phase.generate,),
        stateful_step_count=25,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(
        seed(2 * SEED + part)(type(f"Story{part}", (machine,), {})), settings=steps
    )


@pytest.mark.django_db
@pytest.mark.integration
@pytest.mark.security
@pytest.mark.parametrize("part", range(2))
def test_the_owner_gets_everything_back(settings: Settings, part: int) -> None:
    play(settings, Story, part, STORIES // 2)
