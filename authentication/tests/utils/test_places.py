"""Places of addresses, and the words for them."""

from pathlib import Path

import pytest
from django.utils.translation import override
from pytest_django import Settings

from authentication.tests.places import (
    BERLIN,
    BERLIN_6,
    LONDON,
    MUNICH,
    NEW_YORK,
    NO_COORDINATES,
    PRIVATE,
    SWEDEN,
    UNLISTED,
    write_places,
)
from authentication.utils.places import (
    NOWHERE,
    kilometres_between,
    place_of,
    words_of,
    words_of_address,
)


@pytest.fixture(autouse=True)
def _file(settings: Settings, tmp_path: Path) -> None:
    settings.GEOIP_PATH = write_places(tmp_path / "places.mmdb")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (BERLIN, "Berlin, Germany"),
        (BERLIN_6, "Berlin, Germany"),
        (SWEDEN, "Sweden"),
        (NO_COORDINATES, "Philippines"),
        (UNLISTED, ""),
        (PRIVATE, ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("fe80::1", ""),
        ("nonsense", ""),
        ("", ""),
        (None, ""),
        # What the file says in other forms than it should.
        ("5.5.5.5", ""),
        ("5.5.6.5", ""),
        ("5.5.7.5", "B\ufffd[31m\ufffdn, Germany"),
    ],
)
def test_an_address_has_a_place_in_words(address: str | None, words: str) -> None:
    assert words_of_address(address) == words


def test_a_place_is_named_in_the_language_of_its_reader() -> None:
    with override("de"):
        assert words_of_address(MUNICH) == "München, Deutschland"
        assert words_of_address(BERLIN) == "Berlin, Deutschland"
        assert words_of(country="US", city="New York") == "New York, Vereinigte Staaten"
    assert words_of_address(MUNICH) == "Munich, Germany"


def test_a_country_without_a_name_is_shown_by_its_code() -> None:
    assert words_of(country="ZZ") == "ZZ"


@pytest.mark.parametrize(("detail", "words"), [("off", ""), ("country", "Germany")])
def test_no_more_is_looked_up_than_the_settings_allow(
    settings: Settings, detail: str, words: str
) -> None:
    settings.LOCATION_DETAIL = detail

    assert words_of_address(BERLIN) == words
    assert not place_of(BERLIN).city
    # Stored while the settings allowed it.
    assert words_of(country="DE", city="Berlin") == words


def test_without_a_file_no_place_is_known(settings: Settings) -> None:
    settings.GEOIP_PATH = None

    assert place_of(BERLIN) == NOWHERE


def test_a_file_of_ipv4_addresses_knows_no_ipv6_address(settings: Settings, tmp_path: Path) -> None:
    settings.GEOIP_PATH = write_places(tmp_path / "four.mmdb", ip_version=4)

    assert place_of(BERLIN).city == "Berlin"
    assert place_of(BERLIN_6) == NOWHERE


class TestDistance:
    def test_it_is_between_the_edges_of_what_the_file_is_sure_of(self) -> None:
        # 932 km between the middles, and 20 km of each.
        assert kilometres_between(place_of(BERLIN), place_of(LONDON)) == pytest.approx(892, abs=3)

    def test_a_file_without_radii_is_taken_for_unsure(self) -> None:
        # 5,570 km between the middles, and 20 and 100 km.
        assert kilometres_between(place_of(LONDON), place_of(NEW_YORK)) == pytest.approx(
            5450, abs=10
        )

    @pytest.mark.parametrize("other", [BERLIN, BERLIN_6, NO_COORDINATES, UNLISTED])
    def test_it_is_none_within_the_radius_or_to_an_unknown_place(self, other: str) -> None:
        assert kilometres_between(place_of(BERLIN), place_of(other)) == 0
