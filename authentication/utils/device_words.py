"""The words for devices, in the language of the person who reads them.

They are stored in English, as `devices.py` makes them.
"""

import re
from collections.abc import Iterable

from django.utils.translation import gettext, gettext_noop, pgettext

from .apps import BROWSER_NAMES
from .languages import current

_UNKNOWN_APP = gettext_noop("Unknown app")
_WHOLE = {gettext_noop("Unknown device"), _UNKNOWN_APP}
# Each follows the word "on".
PLACES = {
    gettext_noop("an iPhone or iPad"),
    gettext_noop("an Android phone"),
    gettext_noop("an Android tablet"),
    gettext_noop("an Android device"),
    gettext_noop("a Samsung phone"),
    gettext_noop("a Samsung tablet"),
    gettext_noop("a Samsung device"),
    gettext_noop("an Amazon tablet"),
    gettext_noop("a Sony TV"),
    gettext_noop("a Fire TV"),
    gettext_noop("an LG TV"),
    gettext_noop("a Roku TV"),
    gettext_noop("a Samsung TV"),
    gettext_noop("a TV"),
}
_NAMES_OF_PLACES = ("Windows", "Mac", "Chromebook", "Linux", "iPhone", "iPad", "iPod", "Xbox")
_OTHER_BROWSERS = (
    "Safari",
    "Firefox",
    "Edge",
    "Opera",
    "Samsung Internet",
    "DuckDuckGo",
    "Vivaldi",
)
PROGRAM = re.compile(r"(?P<name>[\w#]+) program(?P<library> \(.+\))?")
_APP = re.compile(r"(?P<name>.+) app")


def spoken(words: str) -> str:
    """Return the words for a device in the current language; a person's own name as it is."""
    if current() == "en":
        return words
    app, on, place = words.partition(" on ")
    if not on:
        return _app(words)
    if not (_is_app(app) or place in PLACES or place.startswith(_NAMES_OF_PLACES)):
        return words
    pattern = pgettext("a device", "{app} on {place}")
    return pattern.format(app=_app(app), place=gettext(place) if place in PLACES else place)


def _app(words: str) -> str:
    if words in _WHOLE:
        return gettext(words)
    if words.startswith(f"{_UNKNOWN_APP} ("):
        return gettext(_UNKNOWN_APP) + words.removeprefix(_UNKNOWN_APP)
    if found := PROGRAM.fullmatch(words):
        name = gettext("{name} program").format(name=found["name"])
        return name + (found["library"] or "")
    if found := _APP.fullmatch(words):
        return gettext("{name} app").format(name=found["name"])
    return words


def _is_app(words: str) -> bool:
    known: Iterable[str] = (*BROWSER_NAMES, *_OTHER_BROWSERS, _UNKNOWN_APP)
    return words in known or bool(PROGRAM.fullmatch(words) or _APP.fullmatch(words))
