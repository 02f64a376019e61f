"""Any address and username: what is accepted is safe and has one canonical form."""

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

from .texts import (
    ANYTHING,
    SPELLINGS_OF_ADDRESSES,
    SPELLINGS_OF_USERNAMES,
    addresses,
    usernames,
    usernames_with_traps,
)

CANONICAL_USERNAME_LENGTH = User._meta.get_field("username_canonical").max_length or 0

# Characters that no font shows: Unicode's Default_Ignorable_Code_Point.
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


def accepted(check: Callable[[str], str], typed: str) -> str:
    """Return the stored form of a text; reject the example if the text is refused."""
    try:
        return check(typed)
    except ValueError:
        reject()


def refusal_of(check: Callable[[str], str], typed: str) -> str:
    """Return the message that refuses a text; nothing if it is accepted."""
    try:
        check(typed)
    except ValueError as error:
        return str(error)
    return ""


class TestAnyText:
    @given(ANYTHING)
    @settings(deadline=None, derandomize=True)
    def test_any_text_has_canonical_forms(self, text: str) -> None:
        for canonical in (
            canonical_email(text),
            canonical_username(text),
            canonical_identifier(text),
        ):
            assert isinstance(canonical, str)

    @given(ANYTHING, st.sampled_from([clean_email, clean_username]))
    @settings(deadline=None, derandomize=True)
    def test_any_text_is_accepted_or_refused_with_a_message_of_the_service(
        self, text: str, check: Callable[[str], str]
    ) -> None:
        refusal = refusal_of(check, text)

        assert refusal == "" or refusal.startswith(
            ("Enter ", "Choose ", "Use ", "This username is reserved")
        )

    @given(ANYTHING)
    @settings(deadline=None, derandomize=True)
    def test_accepted_text_is_safe(self, text: str) -> None:
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
    def test_accepted_names_are_safe(self, typed: str) -> None:
        assert_safe_address(accepted(clean_email, typed))

    @given(addresses())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_the_stored_form_is_stable(self, typed: str) -> None:
        stored = accepted(clean_email, typed)

        assert clean_email(stored) == stored
        assert canonical_email(canonical_email(stored)) == canonical_email(stored)

    @given(addresses())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_the_typed_form_finds_the_stored_one(self, typed: str) -> None:
        stored = accepted(clean_email, typed)

        assert canonical_email(typed) == canonical_email(stored) == canonical_identifier(typed)

    @given(addresses(), st.sampled_from(SPELLINGS_OF_ADDRESSES))
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_spellings_of_an_address_are_the_same(
        self, typed: str, spelled: Callable[[str], str]
    ) -> None:
        stored = accepted(clean_email, typed)

        assert canonical_email(spelled(stored)) == canonical_email(stored)

    @given(st.text("abc", min_size=1, max_size=5), st.text("abc.+", max_size=8))
    @settings(deadline=None, derandomize=True)
    def test_dots_and_tags_are_ignored_only_at_gmail(self, name: str, noise: str) -> None:
        bare = noise.partition("+")[0].replace(".", "")

        assert canonical_email(f"{name}{noise}@googlemail.com") == f"{name}{bare}@gmail.com"
        assert canonical_email(f"{name}{noise}@example.org") == f"{name}{noise}@example.org"


class TestUsernames:
    @given(st.one_of(usernames(), usernames_with_traps(), ANYTHING))
    @example("ruth\ufe0f")
    @example("ruth\u034f")
    @example("\uac00\u115f\uac00")
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_accepted_names_are_safe(self, typed: str) -> None:
        if not refusal_of(clean_username, typed):
            assert_safe_username(clean_username(typed))

    @pytest.mark.slow
    @given(usernames())
    @example("\u0441\u043e\u0301\u0440")
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_the_stored_form_is_stable(self, typed: str) -> None:
        stored = accepted(clean_username, typed)

        assert clean_username(stored) == stored
        assert canonical_username(canonical_username(stored)) == canonical_username(stored)

    @pytest.mark.slow
    @given(usernames())
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_the_typed_form_finds_the_stored_one(self, typed: str) -> None:
        stored = accepted(clean_username, typed)

        assert (
            canonical_username(typed) == canonical_username(stored) == canonical_identifier(typed)
        )

    @pytest.mark.slow
    @given(usernames(), st.sampled_from(SPELLINGS_OF_USERNAMES))
    @example("\u0131lgaz", str.upper)
    @settings(deadline=None, derandomize=True, max_examples=100)
    def test_spellings_of_a_username_are_the_same(
        self, typed: str, spelled: Callable[[str], str]
    ) -> None:
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
    def test_lookalikes_are_the_same_or_refused(self, name: str, lookalike: str) -> None:
        is_refused = bool(refusal_of(clean_username, lookalike))

        assert is_refused or canonical_username(lookalike) == canonical_username(name)


class TestUniqueness(TestCase):
    """The database refuses a second name exactly if it has the same canonical form."""

    @pytest.mark.slow
    @given(st.data())
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_addresses_are_unique_by_canonical_form(self, data: st.DataObject) -> None:
        first = accepted(clean_email, data.draw(addresses()))
        other = st.sampled_from(SPELLINGS_OF_ADDRESSES).map(lambda spelled: spelled(first))
        second = accepted(clean_email, data.draw(st.one_of(other, addresses())))

        assert self._is_one({"email": first}, {"email": second}) == (
            canonical_email(first) == canonical_email(second)
        )

    @pytest.mark.slow
    @given(st.data())
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_usernames_are_unique_by_canonical_form(self, data: st.DataObject) -> None:
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
    """PostgreSQL can store what the service accepts."""

    @given(addresses(), usernames())
    @example("a" * 64 + "@" + ".".join(["b" * 62] * 3), "\u0390" * 30)
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_accepted_names_can_be_registered(self, email: str, username: str) -> None:
        assert connection.vendor == "postgresql", "This test needs PostgreSQL: set DATABASE_URL."
        email, username = accepted(clean_email, email), accepted(clean_username, username)
        body = {"email": email, "username": username, "password": PASSWORD}

        with override_settings(RATELIMIT_ENABLE=False):
            answer = APIClient().post(f"{API}/register/", body)

        assert answer.status_code == 201, answer.content
        assert User.objects.get().email_canonical == canonical_email(email)
        assert User.objects.get().username_canonical == canonical_username(username)

    @given(st.text(min_size=1, max_size=400))
    @settings(deadline=None, derandomize=True, max_examples=40)
    def test_any_identifier_can_be_looked_up(self, text: str) -> None:
        try:
            identifier = canonical_identifier(text.replace("\x00", ""))
            found = User.objects.identified_by(identifier).count()
        except DatabaseError as error:
            raise AssertionError(ascii(text)) from error
        assert found == 0
