"""utils/identifiers.py: usernames and their canonical forms."""

import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authentication.tests.properties import thoroughly
from authentication.utils.identifiers import RESERVED_USERNAMES, canonical_username, clean_username

from .letters import KELVIN, LONG_S, accepted

words = st.text(st.characters(categories=["L", "Nd"]), min_size=3, max_size=20)


@pytest.mark.parametrize(
    "name",
    [
        "ruth",
        "Ruth_Moab",
        "r.m-1",
        "123",
        "x" * 30,
        "\u0440\u0443\u0442\u044c",
        "\u592a\u90ce\u305f\u308d\u3046\u30bf\u30ed\u30a6",
        "Jos\u00e9",
        "\u03a1\u03bf\u03cd\u03b8",
    ],
)
def test_a_username_has_letters_of_one_alphabet_digits_and_three_signs(name: str) -> None:
    assert clean_username(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "3 to 30 characters"),
        ("ru", "3 to 30 characters"),
        (" ru ", "3 to 30 characters"),
        ("x" * 31, "3 to 30 characters"),
        ("ruth moab", "only letters, digits"),
        ("ruth@moab", "only letters, digits"),
        ("ruth/moab", "only letters, digits"),
        ("<b>ruth", "only letters, digits"),
        ("ruth\u200b", "only letters, digits"),
        ("ruth\u202e", "only letters, digits"),
        ("ru\u00adth", "only letters, digits"),
        ("ruth\x00", "only letters, digits"),
        ("ruth\U0001f600", "only letters, digits"),
        ("___", "at least one letter or digit"),
        ("-.-", "at least one letter or digit"),
        ("\u0301\u0301\u0301", "at least one letter or digit"),
    ],
)
def test_invalid_usernames_are_refused(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        clean_username(name)


@pytest.mark.parametrize(
    "name",
    [
        "r\u0443th",  # Cyrillic u
        "\u0430dmin",  # Cyrillic a
        "p\u0430stor",
        "ru\u03c4h",  # Greek tau
        "\u0440\u0430ypal",
        "ruth\u05d0",  # Hebrew alef
        "\u03b1\u0430\u03b1",  # Greek and Cyrillic
        "\u592aruth",
    ],
)
def test_a_username_of_two_alphabets_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letters of one alphabet"):
        clean_username(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ruth", "RUTH"),
        ("ruth", "Ruth"),
        ("ruth", "\uff52\uff55\uff54\uff48"),
        ("sam", f"{LONG_S}am"),
        ("kate", f"{KELVIN}ate"),
        ("strasse", "stra\u00dfe"),
        ("jos\u00e9", "jose\u0301"),
        ("fire", "\ufb01re"),
        ("coco", "\u0441\u043e\u0441\u043e"),  # Cyrillic
        ("ope", "\u041e\u0420\u0415"),  # Cyrillic capitals
        ("xyp", "\u0445\u0443\u0440"),  # Cyrillic
        ("opa", "\u03bf\u03c1\u03b1"),  # Greek
        ("AvA", "\u0391\u03bd\u0391"),  # Greek
        ("\u0445\u043e\u0440", "\u03c7\u03bf\u03c1"),  # Cyrillic and Greek
    ],
)
def test_usernames_that_look_alike_are_the_same(one: str, other: str) -> None:
    assert canonical_username(one) == canonical_username(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ruth", "ruth1"), ("ruth", "r.uth"), ("ruth", "r\u00fath"), ("ruth", "r_uth")],
)
def test_usernames_that_differ_stay_different(one: str, other: str) -> None:
    assert canonical_username(one) != canonical_username(other)


@thoroughly
@given(name=words)
def test_the_canonical_form_of_a_username_ignores_case(name: str) -> None:
    once = canonical_username(name)

    assert canonical_username(once) == once
    assert canonical_username(name.casefold()) == once
    assert len(once) <= 3 * len(unicodedata.normalize("NFKC", name))


@thoroughly
@given(name=words)
def test_the_canonical_form_of_a_valid_username_fits_its_column(name: str) -> None:
    stored = accepted(clean_username, name)
    assume(stored)

    assert clean_username(stored) == stored
    assert canonical_username(stored) == canonical_username(name)
    assert 3 <= len(stored) <= 30
    assert len(canonical_username(stored)) <= 90


def refusal_of(name: str) -> str:
    """Return the message that refuses a username; nothing if it is accepted."""
    try:
        clean_username(name)
    except ValueError as error:
        return str(error)
    return ""


def test_reserved_usernames_are_refused_in_every_spelling() -> None:
    spellings = [
        spelling
        for name in RESERVED_USERNAMES
        for spelling in (name, name.upper(), name.title(), ".".join(name), f"_{name}_", f"-{name}.")
    ]
    refusals = {spelling: refusal_of(spelling) for spelling in spellings}

    assert {
        spelling: it for spelling, it in refusals.items() if not re.search(r"reserved|3 to 30", it)
    } == {}


@pytest.mark.parametrize(
    "name", ["admin", "root", "support", "pastor", "no-reply", "vineyard", "api"]
)
def test_names_that_speak_for_the_service_are_reserved(name: str) -> None:
    assert name in RESERVED_USERNAMES


def test_a_reserved_username_in_another_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="reserved"):
        clean_username("\u0440\u0430\u0455\u0442\u043e\u0433")  # "pastor" in Cyrillic letters


@pytest.mark.parametrize("name", ["administrator1", "rooted", "supporter", "ruth.admin"])
def test_a_username_may_contain_a_reserved_one(name: str) -> None:
    assert clean_username(name) == name
