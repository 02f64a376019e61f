"""Any questions in any order: what is seen of an address does not tell whether it is a member's.

`make stories` asks CASES of them, from the seed STORY_SEED.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from pytest_django import Settings

from vineyard_group_fellowship.settings.base import caches as local

from .strangers import ABOUT_ADDRESSES, ABOUT_NAMES, ADDRESSES, NAMES, free, taken, told

CASES = int(os.environ.get("CASES", "10"))
SEED = int(os.environ.get("STORY_SEED", "0"))
STEPS = settings(
    max_examples=CASES,
    phases=(Phase.generate, Phase.shrink),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Occupy = Callable[[], None]

pytestmark = [pytest.mark.django_db, pytest.mark.integration, pytest.mark.security]


@pytest.fixture(autouse=True)
def _no_redis(settings: Settings) -> None:
    # Redis would count by its own clock.
    settings.CACHES = local("")
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "register": "50/h", "login": "500/h"}


def compare(one: Occupy, others: Sequence[Occupy], acts: tuple[str, ...]) -> None:
    """Play the same acts where an address or a name is one thing and where it is another."""
    script = st.lists(
        st.tuples(st.sampled_from(acts), st.integers(min_value=0, max_value=7)),
        min_size=4,
        max_size=12,
    )

    def ask(other: Occupy, acts: list[tuple[str, int]]) -> None:
        for seen, expected in zip(told(other, acts), told(one, acts), strict=True):
            assert seen == expected

    asked: Any = given(st.sampled_from(others), script)(ask)
    seed(SEED)(STEPS(asked))()


@pytest.mark.slow
def test_a_free_address_and_any_other_look_the_same() -> None:
    compare(free, ADDRESSES, ABOUT_ADDRESSES)


@pytest.mark.slow
def test_a_name_that_is_taken_and_one_that_is_held_look_the_same() -> None:
    compare(taken, NAMES, ABOUT_NAMES)
