"""authentication.utils.devices."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authentication.tests.agents import AGENTS
from authentication.tests.properties import thoroughly
from authentication.utils.devices import (
    Device,
    device_digest,
    device_of,
    device_secrets,
    with_new_secret,
)

RUTH, NAOMI = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.mark.parametrize("kind", AGENTS)
def test_a_device_is_described_in_words_a_person_recognises(kind: str) -> None:
    agent = AGENTS[kind]

    assert device_of(agent.header) == Device(agent.name, agent.type, agent.browser, agent.system)


@thoroughly
@given(text=st.text(max_size=600))
def test_any_text_at_all_gives_some_device_that_fits_its_columns(text: str) -> None:
    device = device_of(text)

    assert 0 < len(device.name) <= 100
    assert len(device.browser) <= 64
    assert len(device.operating_system) <= 64
    assert device.type in {"bot", "desktop", "mobile", "other", "tablet"}


class TestTheSecrets:
    def test_a_new_one_stands_in_front_of_the_others(self) -> None:
        first, device_id = with_new_secret("")
        second, both = with_new_secret(device_id)

        assert device_secrets(both) == [second, first]

    def test_a_device_keeps_five(self) -> None:
        device_id = ""
        for _ in range(7):
            newest, device_id = with_new_secret(device_id)

        assert len(device_secrets(device_id)) == 5
        assert device_secrets(device_id)[0] == newest

    @given(text=st.text(max_size=600))
    def test_any_text_holds_secrets_or_none(self, text: str) -> None:
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", it) for it in device_secrets(text))

    def test_their_digests_differ_by_account(self) -> None:
        secret, _ = with_new_secret("")

        digests = {device_digest(secret, user_id) for user_id in (RUTH, NAOMI)}

        assert len(digests) == 2
        assert all(re.fullmatch(r"[0-9a-f]{64}", it) for it in digests)
