"""authentication.utils.devices."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from authentication.tests.agents import AGENTS
from authentication.tests.properties import thoroughly
from authentication.utils.devices import Device, device_of, fingerprint

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
    assert re.fullmatch(r"[0-9a-f]{32}", fingerprint(text, user_id=RUTH))


UPDATES = [
    ("Chrome on Windows", "Chrome/131.0.0.0", "Chrome/131.0.6778.86"),
    ("Chrome on Windows", "Chrome/131.0.0.0", "Chrome/140.0.0.0"),
    ("Chrome on Android", "Chrome/131.0.0.0", "Chrome/132.0.0.0"),
    ("Chrome on Android", "Android 10", "Android 15"),
    ("Safari on an iPhone", "Version/18.1.1", "Version/18.2"),
    ("Safari on an iPhone", "18_1_1", "19_0"),
    ("Firefox on an Android tablet", "132.0", "133.0.1"),
    ("Edge on Windows", "Edg/131.0.0.0", "Edg/133.0.0.0"),
]


@pytest.mark.parametrize(("kind", "old", "new"), UPDATES)
def test_the_fingerprint_outlives_an_update(kind: str, old: str, new: str) -> None:
    before = AGENTS[kind].header
    after = before.replace(old, new)

    assert before != after
    assert fingerprint(before, user_id=RUTH) == fingerprint(after, user_id=RUTH)


def test_different_devices_have_different_fingerprints() -> None:
    known = [agent.header for kind, agent in AGENTS.items() if kind != "noise"]

    assert len({fingerprint(header, user_id=RUTH) for header in known}) == len(known)


@pytest.mark.parametrize("kind", AGENTS)
def test_two_people_with_one_device_have_different_fingerprints(kind: str) -> None:
    header = AGENTS[kind].header

    assert fingerprint(header, user_id=RUTH) != fingerprint(header, user_id=NAOMI)


def test_a_fingerprint_needs_the_services_key(settings: Settings) -> None:
    header = AGENTS["Chrome on Windows"].header
    before = fingerprint(header, user_id=RUTH)

    settings.SECRET_KEY = "another-key"

    assert fingerprint(header, user_id=RUTH) != before
