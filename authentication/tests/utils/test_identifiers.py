"""authentication.utils.identifiers."""

import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authentication.tests.properties import thoroughly
from authentication.utils.identifiers import (
    RESERVED_USERNAMES,
    canonical_email,
    canonical_identifier,
    canonical_username,
    clean_email,
    clean_username,
)

DOTLESS_I, DOTTED_I, LONG_S, KELVIN = "\u0131", "\u0130", "\u017f", "\u212a"
FOUR_LETTERS = DOTLESS_I + DOTTED_I + LONG_S + KELVIN

# Fullwidth letters and ligatures are spellings of plain ones.
letters = st.sampled_from(
    string.ascii_letters + string.digits + FOUR_LETTERS + "\uff52\uff34\ufb01\u00e9\u0439"
)
locals_ = st.text(letters | st.sampled_from(".+-_"), min_size=1, max_size=20)
domains = st.sampled_from(
    [
        "gmail.com",
        "GoogleMail.com",
        "GMAIL.COM.",
        "\uff47mail.com",
        "gma\u0131l.com",
        "example.org",
        "b\u00fccher.example",
    ]
) | st.text(letters | st.just("."), min_size=1, max_size=20)
addresses = st.tuples(locals_, domains).map("@".join)
words = st.text(st.characters(categories=["L", "Nd"]), min_size=3, max_size=20)


SWAPPED = str.maketrans(string.ascii_letters, string.ascii_letters.swapcase())


def accepted(check: Callable[[str], str], text: str) -> str:
    """Return a text in the form in which it is stored; nothing if it is refused."""
    try:
        return check(text)
    except ValueError:
        return ""


# Addresses.


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("ruth@example.org", "ruth@example.org"),
        ("Ruth@Example.ORG", "ruth@example.org"),
        ("  ruth@example.org\n", "ruth@example.org"),
        ("ruth@example.org.", "ruth@example.org"),
        ("\uff52uth@example\uff0eorg", "ruth@example.org"),
        ("r.u.t.h@example.org", "r.u.t.h@example.org"),
        ("ruth+x@example.org", "ruth+x@example.org"),
        ("ruth@gmail.com", "ruth@gmail.com"),
        ("R.u.T.h@Gmail.com", "ruth@gmail.com"),
        ("ruth+moab@gmail.com", "ruth@gmail.com"),
        ("ruth+a+b@gmail.com", "ruth@gmail.com"),
        ("r.uth+.a.@gmail.com", "ruth@gmail.com"),
        ("ruth@googlemail.com", "ruth@gmail.com"),
        ("ru.th+x@GoogleMail.com", "ruth@gmail.com"),
        ("ru.th@gmail.com.example.org", "ru.th@gmail.com.example.org"),
        ("ru.th@mail.gmail.com", "ru.th@mail.gmail.com"),
        ("ruth@B\u00dcCHER.example", "ruth@xn--bcher-kva.example"),
        ("ruth@xn--bcher-kva.example", "ruth@xn--bcher-kva.example"),
    ],
)
def test_spellings_of_an_address_have_one_canonical_form(typed: str, canonical: str) -> None:
    assert canonical_email(typed) == canonical
    assert canonical_identifier(typed) == canonical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{DOTLESS_I}da@example.org", "ida@example.org"),
        (f"{DOTTED_I}da@example.org", "ida@example.org"),
        ("ruth@gma\u0131l.com", "ruth@gmail.com"),
        ("ruth@GMA\u0130L.com", "ruth@gmail.com"),
        ("ruth@m\u00e4il.example", "ruth@mail.example"),
        ("stra\u00dfe@example.org", "strasse@example.org"),
        ("ruth@\u0435xample.org", "ruth@example.org"),
    ],
)
def test_letters_that_are_not_the_same_are_never_made_the_same(one: str, other: str) -> None:
    assert canonical_email(one) != canonical_email(other)


@pytest.mark.parametrize(("letter", "plain"), [(LONG_S, "s"), (KELVIN, "k")])
def test_compatibility_letters_are_the_plain_ones_everywhere(letter: str, plain: str) -> None:
    assert canonical_email(f"{letter}am@example.org") == f"{plain}am@example.org"
    assert canonical_email(f"ruth@{letter}am.org") == f"ruth@{plain}am.org"
    assert canonical_username(f"{letter}am") == f"{plain}am"
    assert canonical_email(clean_email(f"{letter}am@example.org")) == f"{plain}am@example.org"


@thoroughly
@given(address=addresses)
def test_the_canonical_form_of_an_address_that_can_be_mailed_is_its_own(address: str) -> None:
    stored = accepted(clean_email, address)
    assume(stored)

    once = canonical_email(address)
    assert (
        once
        == canonical_email(stored)
        == canonical_email(once)
        == canonical_email(address.translate(SWAPPED))
    )
    assert once.isascii()
    assert once == once.lower()
    assert len(once) <= 254


@thoroughly
@given(address=addresses)
def test_the_canonical_form_has_no_capitals_and_one_domain_for_gmail(address: str) -> None:
    local, _, domain = canonical_email(address).rpartition("@")

    assert not set(local + domain) & set(string.ascii_uppercase)
    assert domain != "googlemail.com"
    if domain == "gmail.com":
        assert not set(local) & set(".+")


@thoroughly
@given(text=st.text(max_size=60))
def test_any_text_at_all_has_canonical_forms(text: str) -> None:
    assert "@" in canonical_email(text)
    canonical_username(text)
    assert canonical_identifier(text) == canonical_identifier(unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize(
    "text",
    ["", "@", "a@", "@b", "\ud800@\ud800", "a@" + "\u00fc" * 300, "a@xn--", "a@..", "a@-.org"],
)
def test_strange_text_has_a_canonical_form_too(text: str) -> None:
    assert "@" in canonical_email(text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ruth.Moab+church@Example.org", "Ruth.Moab+church@Example.org"),
        (" ruth@example.org ", "ruth@example.org"),
        ("\uff52uth@example.org", "ruth@example.org"),
        ("ruth@b\u00fccher.example", "ruth@xn--bcher-kva.example"),
        ("x" * 64 + "@example.org", "x" * 64 + "@example.org"),
    ],
)
def test_an_address_is_stored_as_typed(typed: str, stored: str) -> None:
    assert clean_email(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ruth",
        "@example.org",
        "ruth@",
        "ruth@@example.org",
        "ruth@a@example.org",
        "ru th@example.org",
        "ruth@exam ple.org",
        "ruth@-example.org",
        "ruth@example..org",
        "ruth@example.org.",
        "ruth@localhost",
        "ruth@[127.0.0.1]",
        ".ruth@example.org",
        "ruth.@example.org",
        "r..h@example.org",
        '"ruth moab"@example.org',
        "Ruth <ruth@example.org>",
        "ruth@example.org, eve@example.org",
        "ruth@example.org\r\nBcc: eve@example.org",
        "r\u00fcth@example.org",
        f"{DOTLESS_I}da@example.org",
        "+tag@gmail.com",
        "...@gmail.com",
        "x" * 65 + "@example.org",
        "ruth@" + "x" * 64 + ".org",
        "ruth@" + ".".join(["x" * 60] * 5) + ".org",
        "\ud800@example.org",
    ],
)
def test_what_no_mail_can_be_sent_to_is_no_address(typed: str) -> None:
    with pytest.raises(ValueError, match=r"Enter (a valid|an) email address"):
        clean_email(typed)


# Usernames.


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
def test_letters_of_one_alphabet_digits_and_three_signs_make_a_name(name: str) -> None:
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
def test_anything_else_makes_none(name: str, reason: str) -> None:
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
def test_a_name_of_two_alphabets_is_refused(name: str) -> None:
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
def test_names_that_look_alike_are_one_name(one: str, other: str) -> None:
    assert canonical_username(one) == canonical_username(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ruth", "ruth1"), ("ruth", "r.uth"), ("ruth", "r\u00fath"), ("ruth", "r_uth")],
)
def test_names_that_differ_stay_different(one: str, other: str) -> None:
    assert canonical_username(one) != canonical_username(other)


@thoroughly
@given(name=words)
def test_the_canonical_form_of_a_name_is_its_own_and_whatever_its_case(name: str) -> None:
    once = canonical_username(name)

    assert canonical_username(once) == once
    assert canonical_username(name.casefold()) == once
    assert len(once) <= 3 * len(unicodedata.normalize("NFKC", name))


@thoroughly
@given(name=words)
def test_a_name_that_is_taken_as_it_is_has_a_canonical_form_that_fits_its_column(name: str) -> None:
    stored = accepted(clean_username, name)
    assume(stored)

    assert clean_username(stored) == stored
    assert canonical_username(stored) == canonical_username(name)
    assert 3 <= len(stored) <= 30
    assert len(canonical_username(stored)) <= 90


@pytest.mark.parametrize("name", sorted(RESERVED_USERNAMES))
def test_a_reserved_name_is_refused_in_every_spelling(name: str) -> None:
    spellings = {name, name.upper(), name.title(), ".".join(name), f"_{name}_", f"-{name}."}

    for spelling in spellings:
        with pytest.raises(ValueError, match=r"reserved|3 to 30"):
            clean_username(spelling)


@pytest.mark.parametrize(
    "name", ["admin", "root", "support", "pastor", "no-reply", "vineyard", "api"]
)
def test_the_names_that_speak_for_the_service_are_reserved(name: str) -> None:
    assert name in RESERVED_USERNAMES


def test_a_reserved_name_in_letters_of_another_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="reserved"):
        clean_username("\u0440\u0430\u0455\u0442\u043e\u0433")  # "pastor" in Cyrillic letters


@pytest.mark.parametrize("name", ["administrator1", "rooted", "supporter", "ruth.admin"])
def test_a_name_that_merely_holds_a_reserved_one_is_free(name: str) -> None:
    assert clean_username(name) == name
