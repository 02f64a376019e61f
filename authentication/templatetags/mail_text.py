"""Filters for what people chose themselves, and for times, in the words of mails."""

import datetime as dt
import re
import unicodedata
import zoneinfo

from django import template
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.text import Truncator
from django.utils.translation import gettext, pgettext

register = template.Library()

_NAME_LENGTH = 60
_LABEL_LENGTH = 24

# Characters that Unicode's compatibility forms leave alone, and that readers or browsers take for
# those of a URL (UTS 46 maps the ideographic full stop to a dot).
_URL_LOOKALIKES = str.maketrans(
    "\u3002\u06d4\ua789\u2236\u02d0\u0589\u2044\u2215\u29f8", "..::::///"
)
# Mail programs turn more than complete URLs into links: `evil.example`, `10.0.0.1`, `a@b`.
# Initials are no links: the last label of a domain has two letters or more.
_LINK = re.compile(r"[/:@\\]|\.\w\w|\d\.\d")
_IGNORED = {"Cf", "Mn", "Me"}


def is_link(words: str) -> bool:
    """Return whether a mail program could show a part of the words as a link."""
    normal = unicodedata.normalize("NFKD", words).translate(_URL_LOOKALIKES)
    seen = "".join(it for it in normal if unicodedata.category(it) not in _IGNORED)
    return _LINK.search(seen) is not None


@register.filter
def plain(words: str, otherwise: str) -> str:
    """Return a name of at most 60 characters, or `otherwise` if it could become a link."""
    # A template's text in another language is lazy.
    words = str(words)
    if is_link(words):
        return str(otherwise)
    return str(Truncator(" ".join(words.split())).chars(_NAME_LENGTH))


@register.filter
def quoted(words: str) -> str:
    """Return a label that a person typed: in quotation marks, at most 24 characters.

    The marks and the length keep it from reading like a sentence of the service.
    """
    if is_link(words):
        return gettext("not shown")
    label = re.sub(r'["\u201c-\u201f\u00ab\u00bb\u2033\u275d\u275e\uff02]', "'", words)
    return f'"{Truncator(" ".join(label.split())).chars(_LABEL_LENGTH)}"'


@register.filter
def moment(value: str | dt.datetime, zone: str) -> str:
    """Return a time in a time zone, as in "Friday 27 November, 11:05 (Berlin)" in English.

    A string is a time in ISO 8601. An unknown zone is taken for UTC. No time gives no words.
    """
    if not value:
        return ""
    local = _local(value, zone)
    # Django's letters for the parts of a date, in the order of the language.
    words = format_date(local, pgettext("a time", "l j F, H:i"))
    return f"{words} ({_place(local, zone)})"


@register.filter
def day(value: str | dt.datetime, zone: str) -> str:
    """Return the day of a time in a time zone, as in "Friday 27 November" in English."""
    return format_date(_local(value, zone), pgettext("a day", "l j F")) if value else ""


def _local(value: str | dt.datetime, zone: str) -> dt.datetime:
    at = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return timezone.localtime(at, _zone(zone))


def _zone(zone: str) -> dt.tzinfo:
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return dt.UTC


def _place(local: dt.datetime, zone: str) -> str:
    """Return the city of a zone; of one without a city its abbreviation or its offset."""
    area, _, city = zone.rpartition("/")
    if area and area != "Etc" and local.tzinfo is not dt.UTC:
        return city.replace("_", " ")
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
