"""utils/identifiers.py: email addresses and their canonical forms."""

import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authentication.tests.properties import thoroughly
from authentication.utils.identifiers import (
    canonical_email,
    canonical_identifier,
    canonical_username,
    clean_email,
)

from .letters import DOTLESS_I, DOTTED_I, KELVIN, LONG_S, accepted

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
SWAPPED = str.maketrans(string.ascii_letters, string.ascii_letters.swapcase())


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
def test_different_letters_stay_different(one: str, other: str) -> None:
    assert canonical_email(one) != canonical_email(other)


@pytest.mark.parametrize(("letter", "plain"), [(LONG_S, "s"), (KELVIN, "k")])
def test_compatibility_letters_count_as_the_plain_ones(letter: str, plain: str) -> None:
    assert canonical_email(f"{letter}am@example.org") == f"{plain}am@example.org"
    assert canonical_email(f"ruth@{letter}am.org") == f"ruth@{plain}am.org"
    assert canonical_username(f"{letter}am") == f"{plain}am"
    assert canonical_email(clean_email(f"{letter}am@example.org")) == f"{plain}am@example.org"


@thoroughly
@given(address=addresses)
def test_the_canonical_form_of_a_valid_address_is_stable(address: str) -> None:
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
def test_the_canonical_form_is_lower_case_with_one_domain_for_gmail(address: str) -> None:
    local, _, domain = canonical_email(address).rpartition("@")

    assert not set(local + domain) & set(string.ascii_uppercase)
    assert domain != "googlemail.com"
    if domain == "gmail.com":
        assert not set(local) & set(".+")


@thoroughly
@given(text=st.text(max_size=60))
def test_any_text_has_canonical_forms(text: str) -> None:
    assert "@" in canonical_email(text)
    canonical_username(text)
    assert canonical_identifier(text) == canonical_identifier(unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize(
    "text",
    ["", "@", "a@", "@b", "\ud800@\ud800", "a@" + "\u00fc" * 300, "a@xn--", "a@..", "a@-.org"],
)
def test_malformed_text_has_a_canonical_form(text: str) -> None:
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
def test_invalid_addresses_are_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=r"Enter (a valid|an) email address"):
        clean_email(typed)
