"""Places: where an IP address is, as far as a local file says, and the words for it.

No request leaves the service. A country is stored as its code (ISO 3166), a city by its name.
"""

import dataclasses
import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from .client import replace_control_characters
from .geoip import PlacesFile
from .languages import current

_CITY_LENGTH = 100
_EARTH_KM = 6371.0
# DB-IP's files say no radius; an address may be that far from its network's place.
_RADIUS_KM = 100.0
_NAMES = Path(__file__).parent / "countries"


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where an IP address is; empty as far as that is not known or not wanted.

    Coordinates are in degrees and of the middle of a circle; `radius` is in kilometres.
    """

    country: str = ""
    city: str = ""
    coordinates: tuple[float, float] | None = None
    radius: float = _RADIUS_KM


NOWHERE = Place()


def are_known() -> bool:
    """Return whether there may be places: a file, and settings that allow their use."""
    return bool(settings.GEOIP_PATH) and settings.LOCATION_DETAIL != "off"


def place_of(address: str | None, *, language: str = "en") -> Place:
    """Return the place of an IP address; its city is named in a language if the file can.

    LOCATION_DETAIL decides what it has: nothing, no city, or all.
    """
    if not address or not are_known():
        return NOWHERE
    found = _file(settings.GEOIP_PATH).look_up(address)
    if not isinstance(found, dict):
        return NOWHERE
    country, location = _part(found, "country"), _part(found, "location")
    city = _name(_part(found, "city"), language) if settings.LOCATION_DETAIL == "city" else ""
    return Place(
        country=_code(country.get("iso_code")),
        city=replace_control_characters(city)[:_CITY_LENGTH],
        coordinates=_coordinates(location),
        radius=_number(location.get("accuracy_radius"), most=_EARTH_KM) or _RADIUS_KM,
    )


def shown_city(city: str) -> str:
    """Return a stored city if the settings let it be shown."""
    return city if settings.LOCATION_DETAIL == "city" else ""


def country_name(code: str) -> str:
    """Return the name of a country in the current language, if the settings let it be shown."""
    if not code or settings.LOCATION_DETAIL == "off":
        return ""
    return _country_names(current()).get(code, code)


def words_of(*, country: str, city: str = "") -> str:
    """Return the words for a stored place in the current language: "Berlin, Germany"."""
    name = country_name(country)
    return ", ".join(part for part in (shown_city(city) if name else "", name) if part)


def words_of_address(address: str | None) -> str:
    """Return the words for the place of an IP address in the current language."""
    place = place_of(address, language=current())
    return words_of(country=place.country, city=place.city)


def kilometres_between(one: Place, other: Place) -> float:
    """Return how far two places are apart at least, in kilometres; 0 if one is not known.

    It is the distance on a sphere between the edges of their circles, not their middles.
    """
    if not one.coordinates or not other.coordinates:
        return 0.0
    (latitude, longitude), (latitude_2, longitude_2) = (
        map(math.radians, it.coordinates or ()) for it in (one, other)
    )
    half = math.sin((latitude_2 - latitude) / 2) ** 2
    half += math.cos(latitude) * math.cos(latitude_2) * math.sin((longitude_2 - longitude) / 2) ** 2
    middles = 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
    return max(0.0, middles - one.radius - other.radius)


@functools.lru_cache(maxsize=4)
def _file(path: Path) -> PlacesFile:
    return PlacesFile(path)


@functools.cache
def _country_names(language: str) -> dict[str, str]:
    path = _NAMES / f"countries.{language}.json"
    if not path.exists():
        path = _NAMES / "countries.en.json"
    names: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return names


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _name(part: Mapping[str, Any], language: str) -> str:
    names = _part(part, "names")
    name = names.get(language) or names.get("en")
    return name if isinstance(name, str) else ""


def _code(value: object) -> str:
    is_code = isinstance(value, str) and len(value) == 2 and value.isascii() and value.isupper()  # noqa: PLR2004 -- ISO 3166
    return str(value) if is_code else ""


def _coordinates(location: Mapping[str, Any]) -> tuple[float, float] | None:
    latitude = _number(location.get("latitude"), most=90.0)
    longitude = _number(location.get("longitude"), most=180.0)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _number(value: object, *, most: float) -> float | None:
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None
