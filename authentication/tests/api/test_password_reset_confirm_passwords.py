"""POST /api/v1/auth/password/reset/confirm/: refused passwords and bodies keep the token valid."""

import itertools
import json
import unicodedata

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    User,
)
from authentication.tests.answers import (
    assert_invalid_fields,
    assert_problem,
    invalid,
    refusal_of,
)
from authentication.tests.clients import (
    NEW_PASSWORD,
)
from authentication.tests.factories import PASSWORD

from .passwords import (
    CONFIRM,
    WEAK_PASSWORDS,
    assert_account_unchanged,
    can_sign_in,
    confirm_reset,
    issue_reset_token,
    naomi,
)

pytestmark = pytest.mark.django_db


class TestPolicy:
    @pytest.mark.parametrize("why", WEAK_PASSWORDS)
    def test_a_weak_password_is_refused_and_the_token_stays_valid(
        self, api: APIClient, db: None, why: str
    ) -> None:
        weak, complaint = WEAK_PASSWORDS[why]
        owner = naomi()
        token = issue_reset_token(owner)

        answer = confirm_reset(api, token, weak)

        assert_invalid_fields(answer, "new_password")
        assert complaint in " ".join(answer.json()["errors"]["new_password"])
        assert_account_unchanged(owner)
        assert confirm_reset(api, token).status_code == 200

    def test_a_different_confirmation_is_refused_and_the_token_stays_valid(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        answer = confirm_reset(api, reset_token, new_password_confirm=PASSWORD)

        assert refusal_of(answer) == invalid(
            new_password_confirm=["The two passwords are not the same."]
        )
        assert_account_unchanged(person)
        assert confirm_reset(api, reset_token, new_password_confirm=NEW_PASSWORD).status_code == 200

    @pytest.mark.parametrize(
        "kept",
        [" Another-Horse-7", "Another-Horse-7  ", "Correct-Horse-7-" * 8, "Aa1\U0001f40e" * 3],
        ids=ascii,
    )
    def test_the_password_is_stored_exactly_as_sent(
        self, api: APIClient, person: User, reset_token: str, kept: str
    ) -> None:
        assert confirm_reset(api, reset_token, kept).status_code == 200

        assert can_sign_in(api, person, kept)
        assert not can_sign_in(api, person, kept[:-1])
        assert not can_sign_in(api, person, kept.lower())

    def test_composed_and_decomposed_letters_are_the_same(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        composed = "Ann\u00e9e-Fran\u00e7aise-7"

        confirm_reset(api, reset_token, unicodedata.normalize("NFD", composed))

        assert can_sign_in(api, person, composed)


class TestMalformed:
    @pytest.mark.parametrize("field", ["token", "new_password"])
    def test_both_fields_are_required(
        self, api: APIClient, person: User, reset_token: str, field: str
    ) -> None:
        body = {"token": reset_token, "new_password": NEW_PASSWORD}
        del body[field]

        answer = api.post(CONFIRM, body)

        assert refusal_of(answer) == invalid(**{field: ["This field is required."]})
        assert_account_unchanged(person)

    def test_a_field_takes_a_string_without_control_characters_only(
        self, api: APIClient, person: User, reset_token: str, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        values: list[object] = [
            None,
            12345678,
            1.5,
            True,
            [],
            {},
            ["x"],
            "",
            "Another\x00Horse-7",
            "\udfff",
        ]
        failures = {}

        for field, value in itertools.product(["token", "new_password"], values):
            body = json.dumps({"token": reset_token, "new_password": NEW_PASSWORD, field: value})
            answer = api.post(CONFIRM, body, content_type="application/json")
            refusal = answer.json()
            found = (answer.status_code, refusal.get("code"), refusal.get("errors", {}).keys())
            if found != (400, "validation_error", {field}):
                failures[field, str(value)] = refusal

        assert failures == {}
        assert_account_unchanged(person)

    def test_129_characters_are_refused(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        answer = confirm_reset(api, reset_token, "Correct-Horse-7-" * 8 + "x")

        assert_invalid_fields(answer, "new_password")
        assert_account_unchanged(person)

    def test_a_token_in_the_query_is_ignored(
        self, api: APIClient, person: User, reset_token: str
    ) -> None:
        answer = api.post(f"{CONFIRM}?token={reset_token}", {"new_password": NEW_PASSWORD})

        assert_invalid_fields(answer, "token")
        assert_account_unchanged(person)


def test_one_address_may_try_ten_times_an_hour(
    api: APIClient, person: User, reset_token: str
) -> None:
    tries = [confirm_reset(api, "x" * 43).status_code for _ in range(10)]

    answer = confirm_reset(api, reset_token)

    assert tries == [400] * 10
    assert_problem(answer, 429, "rate_limited")
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert_account_unchanged(person)
