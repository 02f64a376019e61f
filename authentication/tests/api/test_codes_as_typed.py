"""Codes as apps show them and as people write them; what cannot be a code costs no try."""

import pytest
from rest_framework.test import APIClient

from authentication.models import SecondFactor, SignInChallenge, User, UserSession
from authentication.tests.answers import assert_problem, invalid_fields
from authentication.tests.clients import NOON, Tokens, log_in, post_as
from authentication.tests.factories import PASSWORD, Factor

from .reauthentication import reauthenticate
from .second_factor import CONFIRM, VERIFY, begin_setup, get_challenge, verify, wrong_code

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]

SPACES = [" ", "\u00a0", "\u2009", "\u202f", "\u3000", "\t", "\u200b"]
DASHES = ["-", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212", "\uff0d", "\u30fc", "\u00ad"]
ZEROS = ["\uff10", "\u0660", "\u06f0", "\u0966", "\u0e50", "\u0f20", "\U0001d7ce", "\U0001d7f6"]
NO_CODES = [
    *("abc", "12345", "1234567", "12345x", "+123456", "12.345", "\u4e00" * 6),
    *("x" * 23, "u" * 24, "k7m2qx-9fd0aa-t3ny8w-h5c4r", "1\x0023456", "1" * 129),
]


def grouped(code: str, between: str) -> str:
    return f"{code[:3]}{between}{code[3:]}"


def in_script(code: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(digit)) for digit in code)


class TestSpellings:
    @pytest.mark.parametrize("between", [*SPACES, *DASHES, " - ", "\u200f\u2013"], ids=ascii)
    def test_blanks_and_dashes_are_dropped(
        self, api: APIClient, person: User, factor: Factor, between: str
    ) -> None:
        typed = f"{between[0]}{grouped(factor.code(), between)}{between[0]}"

        assert log_in(api, person, otp=typed).status_code == 200

    @pytest.mark.parametrize("zero", ZEROS, ids=ascii)
    def test_the_digits_of_any_script_are_read(
        self, api: APIClient, person: User, factor: Factor, zero: str
    ) -> None:
        typed = grouped(in_script(factor.code(), zero), " ")

        assert verify(api, get_challenge(api, person), typed).status_code == 200

    @pytest.mark.parametrize("spelling", ["{}\n", "\u200e{}", "\uff21{}"], ids=ascii)
    def test_a_recovery_code_is_read_however_written(
        self, api: APIClient, person: User, factor: Factor, spelling: str
    ) -> None:
        code = factor.recovery_codes[0]
        if spelling.startswith("\uff21"):
            typed = "".join(chr(ord(it) + 0xFEE0) for it in code.upper())
        else:
            typed = spelling.format(code.replace("-", " \u2013 "))

        assert log_in(api, person, otp=typed).status_code == 200

    def test_setting_up_and_proving_again_read_codes_in_the_same_way(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        factor = begin_setup(api, signed_in)

        typed = grouped(in_script(factor.code(), "\u0660"), "\u00a0")
        confirmed = post_as(api, signed_in, CONFIRM, {"otp": typed})
        proven = reauthenticate(api, signed_in, otp=grouped(factor.code(steps=1), " "))

        assert (confirmed.status_code, proven.status_code) == (200, 200)


class TestNoCode:
    @pytest.mark.parametrize("typed", NO_CODES, ids=ascii)
    def test_what_cannot_be_a_code_is_a_field_error_and_costs_no_try(
        self, api: APIClient, person: User, factor: Factor, typed: str
    ) -> None:
        token = get_challenge(api, person)

        at_login = log_in(api, person, otp=typed)
        at_verify = [verify(api, token, typed, field) for field in ("otp", "recovery_code")]

        assert [invalid_fields(it) for it in (at_login, *at_verify)] == [
            {"otp"},
            {"otp"},
            {"recovery_code"},
        ]
        assert SecondFactor.objects.get().window_tries == 0
        assert SignInChallenge.objects.get().tries == 0
        assert not UserSession.objects.exists()

    def test_the_answer_does_not_depend_on_the_account_or_the_password(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        def answer(email: str, password: str) -> object:
            body = {"email": email, "password": password, "otp": "12345"}
            return api.post("/api/v1/auth/login/", body).json()["errors"]

        known = answer(person.email, PASSWORD)

        assert answer(person.email, "Wrong-Horse-9") == known
        assert answer("nobody@example.org", PASSWORD) == known
        person.refresh_from_db()
        assert person.failed_login_attempts == 0

    def test_blanks_alone_are_no_code_given(
        self, api: APIClient, person: User, factor: Factor
    ) -> None:
        assert_problem(log_in(api, person, otp="  "), 403, "mfa_required")


def test_a_wrong_code_has_a_code_of_its_own_and_costs_a_try(
    api: APIClient, person: User, factor: Factor
) -> None:
    at_login = log_in(api, person, otp=grouped(wrong_code(factor), " "))
    at_verify = api.post(
        VERIFY, {"mfa_token": get_challenge(api, person), "otp": wrong_code(factor)}
    )

    for answer in (at_login, at_verify):
        assert_problem(answer, 401, "code_invalid")
        assert answer.json()["detail"] == "That code didn't work. Please try the next one."
    assert SecondFactor.objects.get().window_tries == 2
