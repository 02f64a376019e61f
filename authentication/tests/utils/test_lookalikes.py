"""utils/lookalikes.py: alphabets, marks and skeletons, by Unicode's data."""

import unicodedata

import pytest

from authentication.utils.identifiers import canonical_username, clean_username, username_skeleton
from authentication.utils.lookalikes import is_visible, skeleton


@pytest.mark.parametrize(
    "name",
    [
        "\u30eb\u30fc\u30b7\u30fc",  # Katakana with the long vowel mark
        "\u4f50\u3005\u6728",  # Han with the iteration mark
        "\u4f50\u3005\u6728\u308b\u30fc",
        "ka\u02bbahumanu",  # the okina
        "\ubc15\u54f2\uc218",  # Hangul and Han
        "Nguy\u1ec5n",
        "\u1eb9\u0301b\u00f9n",  # Yoruba: one mark is left in composed form
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\u0e17\u0e14\u0e2a\u0e2d\u0e1a\u0e50",  # Thai with a Thai digit
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",  # Hebrew with points
        "\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f",  # Arabic with vowels
    ],
    ids=ascii,
)
def test_names_in_the_scripts_of_living_languages_are_accepted(name: str) -> None:
    assert clean_username(name) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    "name",
    [
        "supp\u0e50rt",  # a Thai digit
        "ruth\u0663",  # an Arabic digit
        "\ua4ee\ua4d3\ua4df\ua4f2\ua4e0",  # Lisu
        "\u13a0\u13a1\u13a2",  # Cherokee
        "\u0251dmin",
        "\u1d00dmin",
        "ruth\u02d0",
        "\u0639\u0640\u0644\u064a",  # stretched
        "a\u0301\u0302\u0303bc",
        "ru\u0301\u0301th",
        "r\u0332u\u0332t\u0332h\u0332",
        "\u0301ruth",
        "ru.\u0301th",
        "1\u0301ruth",
        "\u0661\u06f1\u0661",  # digits of two systems
    ],
    ids=ascii,
)
def test_look_alikes_and_loose_marks_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^(Use|This username)"):
        clean_username(name)


@pytest.mark.parametrize(
    "name", ["he1p", "HE1P", "supp0rt", "SUPP0RT", "ADM1N", "adrnin", "\u00e1dmin", "a_d.min"]
)
def test_reserved_names_are_compared_by_skeleton(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        clean_username(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [("paulI", "paull"), ("mary", "rnary"), ("\u0251lice", "alice"), ("bob0", "bobO")],
)
def test_names_that_look_alike_have_the_same_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)
    assert username_skeleton(one) == username_skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ruth", "ruth1"), ("ali", "all"), ("jos\u00e9", "jose")]
)
def test_names_that_differ_have_different_skeletons(one: str, other: str) -> None:
    assert username_skeleton(one) != username_skeleton(other)


def test_every_prototype_stands_for_itself() -> None:
    for letter in "abcdefghijklnopqrstuvwxyz":
        assert skeleton(letter) == letter


def test_the_stored_canonical_form_does_not_change_with_the_data() -> None:
    assert canonical_username("paulI") == "pauli"
    assert canonical_username("he1p") == "he1p"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u2800", False),
        ("\u3164\u00ad ", False),
        ("\u0301", False),
        ("\u200b", False),
        ("\U0001f33e", True),
        ("J. R. R.", True),
        ("\u674e", True),
    ],
)
def test_a_text_without_a_glyph_is_invisible(text: str, expected: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    assert is_visible(text) is expected
