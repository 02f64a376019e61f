"""POST /api/v1/auth/register/: the policy for the password."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    User,
)
from authentication.tests.clients import log_in
from authentication.tests.factories import PASSWORD

from .registration import (
    assert_nothing_stored,
    assert_refused,
    refusal_mismatch,
    register,
)

WEAK_PASSWORDS = [
    "Sh0rt!a",
    "no-upper-case-1",
    "NO-LOWER-CASE-1",
    "No-Digit-At-All",
    "NoSpecial1Letter",
    "P@ssw0rd",
    "Naomi@example1",
    "Bethlehem-1",
]
pytestmark = pytest.mark.django_db


class TestPasswords:
    def test_a_weak_password_is_refused_and_not_repeated(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        failures = {}

        for password in WEAK_PASSWORDS:
            answer = register(api, password=password)
            wrong = refusal_mismatch(answer, "password")
            messages = answer.json().get("errors", {}).get("password")
            if wrong or not messages or password in answer.content.decode():
                failures[password] = wrong or answer.json()

        assert failures == {}
        assert_nothing_stored()

    @pytest.mark.parametrize(
        "password", ["Bethlehem-Naomi-1", "Naomi-Bethlehem-1", "Sunny-Field-77", "sunnyFIELD!77"]
    )
    def test_a_password_may_not_be_the_full_or_the_shown_name(
        self, api: APIClient, password: str
    ) -> None:
        answer = register(api, password=password, display_name="Sunny Field 77")

        assert_refused(answer, "password")
        assert_nothing_stored()

    def test_the_length_is_that_of_the_stored_form(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        decomposed = "Aa1-" + "u\u0308" * 124

        too_long, answer = (
            register(api, password=password) for password in (decomposed + "x", decomposed)
        )

        assert_refused(too_long, "password")
        assert answer.status_code == 201, answer.content
        assert log_in(api, User.objects.get(), decomposed).status_code == 200

    def test_every_broken_rule_is_named_at_once(self, api: APIClient) -> None:
        answer = register(api, password="aaa")

        assert_refused(answer, "password")
        assert len(answer.json()["errors"]["password"]) >= 2

    @pytest.mark.parametrize(
        "password",
        [
            " Correct-Horse-9 ",
            "Correct Horse 9 Battery",
            "\u041f\u0430\u0440\u043e\u043b\u044c-9-\u0434\u043b\u044f-\u0420\u0443\u0444\u0438",
            "Aa1-" + "\U0001f40e" * 20,
            "Aa1-" + "x" * 124,
        ],
    )
    def test_a_password_is_stored_exactly_as_sent(
        self, api: APIClient, settings: Settings, password: str
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False

        answer = register(api, password=password)

        assert answer.status_code == 201, answer.content
        user = User.objects.get()
        assert log_in(api, user, password.swapcase()).status_code == 401
        assert log_in(api, user, password).status_code == 200

    def test_composed_and_decomposed_letters_are_the_same(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REQUIRE_EMAIL_VERIFICATION = False
        composed, decomposed = "Stra\u00dfen-\u00dc9", "Stra\u00dfen-U\u03089"

        register(api, password=decomposed)

        assert log_in(api, User.objects.get(), composed).status_code == 200

    def test_129_characters_are_refused(self, api: APIClient) -> None:
        answer = register(api, password="Aa1-" + "x" * 125)

        assert_refused(answer, "password")
        assert_nothing_stored()

    def test_a_different_confirmation_is_refused(self, api: APIClient) -> None:
        answer = register(api, password_confirm=PASSWORD + " ")

        assert_refused(answer, "password_confirm")
        assert_nothing_stored()
