"""POST /api/v1/auth/password/change/: the policy for the new password."""

import itertools
import unicodedata
from typing import Literal

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import PasswordHistory, User
from authentication.tests.answers import (
    assert_invalid_fields,
    invalid,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
    Tokens,
    sign_in,
)
from authentication.tests.factories import PASSWORD

from .passwords import (
    WEAK_PASSWORDS,
    assert_password_unchanged,
    can_sign_in,
    change_password,
    naomi,
)

Form = Literal["NFC", "NFD"]
pytestmark = pytest.mark.django_db


class TestPolicy:
    @pytest.mark.parametrize("why", WEAK_PASSWORDS)
    def test_a_weak_password_is_refused(self, api: APIClient, db: None, why: str) -> None:
        weak, complaint = WEAK_PASSWORDS[why]
        owner = naomi()
        tokens = sign_in(api, owner)

        answer = change_password(api, tokens, new_password=weak)

        assert_invalid_fields(answer, "new_password")
        assert complaint in " ".join(answer.json()["errors"]["new_password"])
        assert_password_unchanged(api, owner, tokens, answer=answer)

    def test_every_broken_rule_is_named_at_once(self, api: APIClient, signed_in: Tokens) -> None:
        answer = change_password(api, signed_in, new_password="short")

        assert answer.json()["errors"] == {
            "new_password": [
                "This password is too short. It must contain at least 8 characters.",
                "The password must contain an uppercase letter, a digit, a special character.",
            ]
        }

    def test_the_last_five_passwords_are_refused_and_the_sixth_is_accepted(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        chosen = [PASSWORD, *(f"Another-Horse-{n}!" for n in range(5))]
        tokens = signed_in
        for old, new in itertools.pairwise(chosen):
            tokens = change_password(api, tokens, old_password=old, new_password=new).json()

        again = [
            change_password(api, tokens, old_password=chosen[-1], new_password=former)
            for former in chosen[1:]
        ]
        oldest = change_password(api, tokens, old_password=chosen[-1], new_password=PASSWORD)

        message = "Choose a password that is not one of your last 5."
        assert [answer.json().get("errors") for answer in again] == [
            {"new_password": [message]}
        ] * 5
        assert oldest.status_code == 200
        assert PasswordHistory.objects.filter(user=person).count() == 5

    def test_a_rehash_at_sign_in_takes_no_place_among_the_last_five(
        self, api: APIClient, person: User, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        chosen = [PASSWORD, *(f"Another-Horse-{n}!" for n in range(6))]
        tokens = signed_in
        for old, new in itertools.pairwise(chosen):
            settings.ARGON2_MEMORY_KIB += 8
            tokens = change_password(api, tokens, old_password=old, new_password=new).json()

        again = [
            change_password(api, tokens, old_password=chosen[-1], new_password=it).status_code
            for it in chosen[-5:]
        ]

        assert again == [400] * 5

    def test_the_first_password_of_an_account_is_refused_as_a_former_one(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        tokens = change_password(api, signed_in).json()

        answer = change_password(api, tokens, old_password=NEW_PASSWORD, new_password=PASSWORD)

        assert_invalid_fields(answer, "new_password")

    def test_a_different_confirmation_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = change_password(api, signed_in, new_password_confirm=f"{NEW_PASSWORD} ")

        assert refusal_of(answer) == invalid(
            new_password_confirm=["The two passwords are not the same."]
        )
        assert_password_unchanged(api, person, signed_in, answer=answer)

    def test_the_same_confirmation_is_accepted(self, api: APIClient, signed_in: Tokens) -> None:
        assert change_password(api, signed_in, new_password_confirm=NEW_PASSWORD).status_code == 200

    def test_128_characters_are_accepted_and_all_of_them_count(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        longest = "Correct-Horse-7-" * 8

        assert change_password(api, signed_in, new_password=longest).status_code == 200

        assert len(longest) == 128
        assert not can_sign_in(api, person, f"{longest[:-1]}x")
        assert can_sign_in(api, person, longest)

    def test_129_characters_are_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = change_password(api, signed_in, new_password="Correct-Horse-7-" * 8 + "x")

        assert_invalid_fields(answer, "new_password")
        assert_password_unchanged(api, person, signed_in, answer=answer)

    @pytest.mark.parametrize("kept", [" Another-Horse-7", "Another-Horse-7   ", "Another Horse 7"])
    def test_blanks_are_part_of_the_password(
        self, api: APIClient, person: User, signed_in: Tokens, kept: str
    ) -> None:
        change_password(api, signed_in, new_password=kept)

        assert can_sign_in(api, person, kept)
        assert not can_sign_in(api, person, kept.replace(" ", ""))
        assert not kept.endswith(" ") or not can_sign_in(api, person, kept.strip())

    @pytest.mark.parametrize(
        "strong", ["\u0391\u03b2\u03b3\u03b4-\u03b5\u03b6\u03b7 \u0664", "Aa1\U0001f40e" * 3]
    )
    def test_every_script_and_emoji_are_accepted(
        self, api: APIClient, person: User, signed_in: Tokens, strong: str
    ) -> None:
        assert change_password(api, signed_in, new_password=strong).status_code == 200

        assert can_sign_in(api, person, strong)

    @pytest.mark.parametrize(("chosen", "typed"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_composed_and_decomposed_letters_are_the_same(
        self, api: APIClient, person: User, signed_in: Tokens, chosen: Form, typed: Form
    ) -> None:
        word = "Ann\u00e9e-Fran\u00e7aise-7"

        tokens = change_password(
            api, signed_in, new_password=unicodedata.normalize(chosen, word)
        ).json()

        api.cookies.clear()
        other_form = unicodedata.normalize(typed, word)
        assert can_sign_in(api, person, other_form)
        assert change_password(api, tokens, old_password=other_form).status_code == 200

    def test_a_combining_accent_is_not_a_special_character(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        word = "Ann\u00e9eFran\u00e7aise7"

        for form in (unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)):
            answer = change_password(api, signed_in, new_password=form)

            assert answer.status_code == 400, ascii(form)
            assert_password_unchanged(api, person, signed_in, answer=answer)
            device = signed_in["device_id"]
            signed_in = sign_in(api, person, headers={"X-Device-Id": device})
