"""utils/devices.py: devices by User-Agent, and the secrets that recognize them."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authentication.templatetags.mail_text import plain
from authentication.tests.agents import AGENTS
from authentication.tests.properties import thoroughly
from authentication.utils.client_hints import ClientHints
from authentication.utils.devices import (
    DeviceDescription,
    device_digest,
    device_of,
    device_secrets,
    with_new_secret,
)

RUTH, NAOMI = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.mark.parametrize("kind", AGENTS)
def test_a_user_agent_is_described_by_device_browser_and_system(kind: str) -> None:
    agent = AGENTS[kind]

    assert device_of(agent.header) == DeviceDescription(
        agent.name, agent.type, agent.browser, agent.system
    )


def test_the_words_for_a_device_are_no_link_in_a_mail() -> None:
    names = {agent.name for agent in AGENTS.values()}

    assert len(AGENTS) >= 60
    assert {name for name in names if plain(name, "") != name} == set()


# Texts of the headers' own letters go deeper than random ones.
_HEADERS = st.text(max_size=600) | st.lists(
    st.sampled_from(
        [
            "Mozilla/5.0 ",
            "(iPhone; ",
            "Android 9; ",
            ")",
            "[",
            "App",
            "/",
            "%41",
            "1.2",
            " wv",
            ".",
            "²",
        ]
    ),
    max_size=40,
).map("".join)


@thoroughly
@given(text=_HEADERS, hint=st.text(max_size=80) | st.just('"Android"'))
def test_any_headers_give_a_device_that_fits_its_columns(text: str, hint: str) -> None:
    names = ("PLATFORM", "PLATFORM_VERSION", "MODEL", "MOBILE")
    hints = ClientHints.of({f"HTTP_SEC_CH_UA_{name}": hint for name in names})

    device = device_of(text, hints)

    assert 0 < len(device.name) <= 100
    assert len(device.browser) <= 64
    assert len(device.operating_system) <= 64
    assert device.type in {"bot", "desktop", "mobile", "other", "tablet"}


class TestDeviceSecrets:
    def test_the_newest_secret_comes_first(self) -> None:
        first, device_id = with_new_secret("")
        second, both = with_new_secret(device_id)

        assert device_secrets(both) == [second, first]

    def test_a_device_keeps_five_secrets(self) -> None:
        device_id = ""
        for _ in range(7):
            newest, device_id = with_new_secret(device_id)

        assert len(device_secrets(device_id)) == 5
        assert device_secrets(device_id)[0] == newest

    @given(text=st.text(max_size=600))
    def test_any_text_holds_only_wellformed_secrets(self, text: str) -> None:
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", it) for it in device_secrets(text))

    def test_the_digest_of_a_secret_differs_by_account(self) -> None:
        secret, _ = with_new_secret("")

        digests = {device_digest(secret, user_id) for user_id in (RUTH, NAOMI)}

        assert len(digests) == 2
        assert all(re.fullmatch(r"[0-9a-f]{64}", it) for it in digests)
