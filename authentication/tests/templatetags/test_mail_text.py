"""Names and times in mails."""

import datetime as dt

import pytest

from authentication.templatetags.mail_text import day, is_link, moment, plain, quoted
from authentication.tests.answers import unexpected

AT = dt.datetime(2026, 11, 27, 10, 5, tzinfo=dt.UTC)

LINKS = (
    "http://evil.example",
    "evil.example",
    "Call evil.example now",
    "https：／／evil．example",  # noqa: RUF001 -- full-width
    "evil。example",
    "evil｡example",
    "evil․example",  # noqa: RUF001 -- one dot leader
    "evil.\u200bexample",
    "evil\u200b.example",
    "evil.e\u0301xample",
    "evil.\u0308example",
    "EVIL.EXAMPLE",
    "ruth@evil",
    "ruth＠evil",  # noqa: RUF001 -- full-width
    "tel:18005550199",
    "tel∶18005550199",  # noqa: RUF001 -- ratio
    "evil∕path",  # noqa: RUF001 -- division slash
    "evil\\path",
    "10.0.0.1",
    "１０．０．０．１",  # noqa: RUF001 -- full-width
    "https꞉∕∕evil",  # noqa: RUF001 -- look-alikes
    "пример.испытание",
)
NAMES = (
    "Ruth",
    "J. R. R.",
    "J.R.R.",
    "J.R.R. Tolkien",
    "Martin Luther King jr.",
    "O'Brien-Smith",
    "Ana María",
    "路得",
    "Ruth, the 2nd",
    "Ruth & Boaz",
    "",
)


def test_what_a_mail_program_could_link_is_a_link() -> None:
    assert unexpected([*LINKS], is_link, True) == {}  # noqa: FBT003 -- the expected outcome


def test_names_are_no_links() -> None:
    assert unexpected([*NAMES], is_link, False) == {}  # noqa: FBT003 -- the expected outcome


def test_a_link_is_replaced_by_other_words() -> None:
    assert [plain(name, "there") for name in ("Ruth", "evil.example")] == ["Ruth", "there"]
    assert quoted("evil.example") == "not shown"


def test_a_long_name_is_shortened_and_lines_are_joined() -> None:
    assert plain("Ruth\n " * 40, "there") == f"{'Ruth ' * 11}Ruth…"
    assert quoted("Ruth's  tablet in the kitchen") == '"Ruth\'s tablet in the ki…"'


def test_a_label_cannot_end_its_quotation() -> None:
    assert quoted('a" and “b” «c»') == "\"a' and 'b' 'c'\""


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Friday 27 November, 11:05 (Berlin)"),
        ("America/Argentina/Buenos_Aires", "Friday 27 November, 07:05 (Buenos Aires)"),
        ("Pacific/Kiritimati", "Saturday 28 November, 00:05 (Kiritimati)"),
        ("UTC", "Friday 27 November, 10:05 (UTC)"),
        ("Etc/GMT+5", "Friday 27 November, 05:05 (UTC-05)"),
        ("CET", "Friday 27 November, 11:05 (CET)"),
        ("Nowhere/At_All", "Friday 27 November, 10:05 (UTC)"),
        ("../etc/passwd", "Friday 27 November, 10:05 (UTC)"),
        ("", "Friday 27 November, 10:05 (UTC)"),
    ],
)
def test_a_time_is_in_words_in_a_time_zone(zone: str, words: str) -> None:
    assert moment(AT, zone) == words
    assert moment(AT.isoformat(), zone) == words


def test_a_day_is_the_day_in_the_time_zone() -> None:
    assert day(AT, "Pacific/Kiritimati") == "Saturday 28 November"
