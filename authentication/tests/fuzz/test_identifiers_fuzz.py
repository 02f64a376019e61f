"""Addresses and usernames that nobody thought of: what is accepted is safe, and one name is one name."""

import unicodedata
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import override_settings
from hypothesis import example, given, reject, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD
from authentication.utils.identifiers import (
    EMAIL_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    canonical_email,
    canonical_identifier,
    canonical_username,
    clean_email,
    clean_username,
)

CANONICAL_USERNAME_LENGTH = User._meta.get_field("username_canonical").max_length or 0

# Unicode's Default_Ignorable_Code_Point: what no font shows.
INVISIBLE = {
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
}

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=40)

# Letters of one script, some of which look like another's, change their number with their case, or
# combine.
ALPHABETS = (
    "abcxyzABCIT\u00e9\u00df\u0130\u0131\u017f\u212a\uff52\uff35\ufb03",
    "\u0430\u0435\u043e\u0441\u0440\u0445\u0456\u0423\u0416\u0451",
    "\u03b1\u03bf\u03c1\u03c2\u03a3\u03af\u0390\u1f80",
    "\u0585\u0587\u057d\u0548",
    "\u05d0\u05e9",
    "\u0627\u0628\ufefb",
    "\u4e2d\u3042\u30a2\uff76",
    "\u1100\u1161\uac00",
)
MARKS_AND_DIGITS = "\u0301\u0308\u0327\u0345\u030c0179_.-"
TRAPS = "\u00ad\u034f\u115f\u200b\u200e\u202e\u2066\u3164\ufe0f\U000e0100 @\r\n\x00\u0085\u2028"


def usernames() -> st.SearchStrategy[str]:
    def of(alphabet: str) -> st.SearchStrategy[str]:
        letters = st.sampled_from(alphabet)
        # A letter that is three in its normal form must not make most names too long.
        return st.text(
            st.one_of(letters, letters, st.sampled_from(MARKS_AND_DIGITS)), min_size=4, max_size=16
        )

    return st.sampled_from(ALPHABETS).flatmap(of)


def usernames_with_traps() -> st.SearchStrategy[str]:
    return st.builds(
        "{}{}{}".format, usernames(), st.sampled_from(TRAPS), st.sampled_from(["", "a", "9"])
    )


def addresses() -> st.SearchStrategy[str]:
    atoms = st.text("abIK09+-_'\u212a\uff41", min_size=1, max_size=30)
    names = st.builds("{}{}{}".format, atoms, st.sampled_from(["", "", ".", "\u0131", "+"]), atoms)
    labels = st.text("abZ09\u00fc\u00df\u4e2d\uff41", min_size=1, max_size=20)
    made_up = st.lists(labels, min_size=1, max_size=12).map(lambda found: ".".join([*found, "org"]))
    domains = st.one_of(
        st.sampled_from(["gmail.com", "GoogleMail.com", "example.org", "b\u00fccher.example"]),
        made_up,
    )
    return st.builds(
        "{}@{}{}".format, names, domains, st.sampled_from(["", "", "", "\n", " ", "\u3002"])
    )


def accepted(check: Callable[[str], str], typed: str) -> str:
    """Return what becomes of a text; one that is refused is no example."""
    try:
        return check(typed)
    except ValueError:
        reject()


def fullwidth(text: str) -> str:
    return "".join(chr(ord(it) + 0xFEE0) if "!" <= it <= "~" else it for it in text)


def ascii_swapcase(text: str) -> str:
    return "".join(it.swapcase() if it.isascii() else it for it in text)


def padded(text: str) -> str:
    return f" {text}\u3000"


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


SPELLINGS_OF_USERNAMES = (
    str.upper,
    str.lower,
    str.casefold,
    str.title,
    fullwidth,
    decomposed,
    padded,
)
SPELLINGS_OF_ADDRESSES = (ascii_swapcase, fullwidth, padded, lambda address: f"{address}.")


def refusal_of(check: Callable[[str], str], typed: str) -> str:
    """Return why a text is refused, or nothing if it is not."""
    try:
        check(typed)
    except ValueError as error:
        return str(error)
    return ""


class TestAnyText:
    @given(ANYTHING)
    @settings(deadline=None, derandomize=True)
    def test_it_has_a_canonical_form(self, text: str) -> None:
        for canonical in (
            canonical_email(text),
            canonical_username(text),
            canonical_identifier(text),
        ):
            assert isinstance(canonical, str)

    @given(ANYTHING, st.sampled_from([clean_email, clean_username]))
    @settings(deadline=None, derandomize=True)
    def test_it_is_refused_with_a_sentence_of_ours(
        self, text: str, check: Callable[[str], str]
    ) -> None:
        refusal = refusal_of(check, text)

        assert refusal == "" or refusal.startswith(
            ("Enter ", "Choose ", "Use ", "This username is reserved")
        )

    @given(ANYTHING)
    @settings(deadline=None, derandomize=True)
    def test_what_is_accepted_of_it_is_safe(self, text: str) -> None:
        if not refusal_of(clean_email, text):
            assert_safe_address(clean_email(text))
        if not refusal_of(clean_username, text):
            assert_safe_username(clean_username(text))


def assert_safe_address(found: str) -> None:
    assert found.isascii()
    assert found.isprintable()
    assert not any(character in ' \t\r\n,;<>()[]"\\' for character in found)
    assert found.count("@") == 1
    assert len(found) <= EMAIL_MAX_LENGTH
    assert 3 <= len(canonical_email(found)) <= EMAIL_MAX_LENGTH


def assert_safe_username(found: str) -> None:
    assert USERNAME_MAX_LENGTH >= len(found) >= 3
    assert found.isprintable()
    assert not any(character.isspace() or character == "@" for character in found)
    assert not {ord(character) for character in found} & INVISIBLE, ascii(found)
    assert len(canonical_username(found)) <= CANONICAL_USERNAME_LENGTH


class TestAddresses:
    @given(addresses())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_what_is_accepted_is_safe(self, typed: str) -> None:
        assert_safe_address(accepted(clean_email, typed))

    @given(addresses())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_what_is_accepted_is_stored_in_its_final_form(self, typed: str) -> None:
        stored = accepted(clean_email, typed)

        assert clean_email(stored) == stored
        assert canonical_email(canonical_email(stored)) == canonical_email(stored)

    @given(addresses())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_as_typed_it_finds_what_was_stored(self, typed: str) -> None:
        stored = accepted(clean_email, typed)

        assert canonical_email(typed) == canonical_email(stored) == canonical_identifier(typed)

    @given(addresses(), st.sampled_from(SPELLINGS_OF_ADDRESSES))
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_its_spellings_are_one_address(self, typed: str, spelled: Callable[[str], str]) -> None:
        stored = accepted(clean_email, typed)

        assert canonical_email(spelled(stored)) == canonical_email(stored)

    @given(st.text("abc", min_size=1, max_size=5), st.text("abc.+", max_size=8))
    @settings(deadline=None, derandomize=True)
    def test_gmail_has_neither_dots_nor_tags(self, name: str, noise: str) -> None:
        bare = noise.partition("+")[0].replace(".", "")

        assert canonical_email(f"{name}{noise}@googlemail.com") == f"{name}{bare}@gmail.com"
        assert canonical_email(f"{name}{noise}@example.org") == f"{name}{noise}@example.org"


class TestUsernames:
    @given(st.one_of(usernames(), usernames_with_traps(), ANYTHING))
    @example("ruth\ufe0f")
    @example("ruth\u034f")
    @example("\uac00\u115f\uac00")
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_what_is_accepted_is_safe(self, typed: str) -> None:
        if not refusal_of(clean_username, typed):
            assert_safe_username(clean_username(typed))

    @given(usernames())
    @example("\u0441\u043e\u0301\u0440")
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_what_is_accepted_is_stored_in_its_final_form(self, typed: str) -> None:
        stored = accepted(clean_username, typed)

        assert clean_username(stored) == stored
        assert canonical_username(canonical_username(stored)) == canonical_username(stored)

    @given(usernames())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_as_typed_it_finds_what_was_stored(self, typed: str) -> None:
        stored = accepted(clean_username, typed)

        assert (
            canonical_username(typed) == canonical_username(stored) == canonical_identifier(typed)
        )

    @given(usernames(), st.sampled_from(SPELLINGS_OF_USERNAMES))
    @example("\u0131lgaz", str.upper)
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_its_spellings_are_one_name(self, typed: str, spelled: Callable[[str], str]) -> None:
        stored = accepted(clean_username, typed)

        assert canonical_username(spelled(stored)) == canonical_username(stored)

    @pytest.mark.parametrize(
        ("name", "lookalike"),
        [
            ("cop", "\u0441\u043e\u0440"),
            ("c\u00f3p", "\u0441\u043e\u0301\u0440"),
            ("c\u00ebp", "\u0441\u0451\u0440"),
            ("ruth", "ruth\ufe0f"),
            ("ilgaz", "\u0131lgaz"),
        ],
        ids=ascii,
    )
    def test_names_that_look_the_same_are_one_or_refused(self, name: str, lookalike: str) -> None:
        try:
            found = clean_username(lookalike)
        except ValueError:
            return
        assert canonical_username(found) == canonical_username(name)


class TestUniqueness(TestCase):
    """Two names are one for the database when, and only when, they have one canonical form."""

    @given(st.data())
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_addresses(self, data: st.DataObject) -> None:
        first = accepted(clean_email, data.draw(addresses()))
        other = st.sampled_from(SPELLINGS_OF_ADDRESSES).map(lambda spelled: spelled(first))
        second = accepted(clean_email, data.draw(st.one_of(other, addresses())))

        assert self._is_one({"email": first}, {"email": second}) == (
            canonical_email(first) == canonical_email(second)
        )

    @given(st.data())
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_usernames(self, data: st.DataObject) -> None:
        first = accepted(clean_username, data.draw(usernames()))
        other = st.sampled_from(SPELLINGS_OF_USERNAMES).map(lambda spelled: spelled(first))
        second = accepted(clean_username, data.draw(st.one_of(other, usernames())))

        is_one = self._is_one(
            {"email": "a@example.org", "username": first},
            {"email": "b@example.org", "username": second},
        )

        assert is_one == (canonical_username(first) == canonical_username(second))

    def _is_one(self, first: dict[str, str], second: dict[str, str]) -> bool:
        User.objects.create_user(**first)
        try:
            with transaction.atomic():
                User.objects.create_user(**second)
        except IntegrityError:
            return True
        return False


@pytest.mark.services
class TestColumns(TestCase):
    """What the service accepts, PostgreSQL can keep."""

    @given(addresses(), usernames())
    @example("a" * 64 + "@" + ".".join(["b" * 62] * 3), "\u0390" * 30)
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_what_is_accepted_can_be_registered(self, email: str, username: str) -> None:
        assert connection.vendor == "postgresql", "This test needs PostgreSQL: set DATABASE_URL."
        email, username = accepted(clean_email, email), accepted(clean_username, username)
        asked = {"email": email, "username": username, "password": PASSWORD}

        with override_settings(RATELIMIT_ENABLE=False):
            answer = APIClient().post(f"{API}/register/", asked)

        assert answer.status_code == 201, answer.content
        assert User.objects.get().email_canonical == canonical_email(email)
        assert User.objects.get().username_canonical == canonical_username(username)

    @given(st.text(min_size=1, max_size=400))
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_any_identifier_can_be_looked_up(self, text: str) -> None:
        try:
            User.objects.identified_by(canonical_identifier(text.replace("\x00", ""))).exists()
        except DatabaseError as error:
            raise AssertionError(ascii(text)) from error
