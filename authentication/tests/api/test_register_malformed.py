"""POST /api/v1/auth/register/: malformed fields are refused and nothing is stored."""

import itertools
import json

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.tests.factories import PASSWORD

from .registration import (
    CONSENTS,
    NEWCOMER,
    REGISTER,
    TEXTS,
    assert_nothing_stored,
    assert_refused,
    not_refused,
    refusal_mismatch,
)

OUT_OF_BOUNDS = [
    ("email", "a" * 243 + "@example.org"),
    ("email", "a" * 60_000 + "@example.org"),
    ("first_name", "x" * 151),
    ("last_name", "x" * 151),
    ("display_name", "x" * 81),
    ("password_confirm", "x" * 129),
]
MALFORMED_ADDRESSES = [
    "naomi",
    "naomi@",
    "@example.org",
    "naomi@example",
    "na omi@example.org",
    "naomi@exa mple.org",
    "naomi@@example.org",
    "naomi@example.org, orpah@example.org",
    "Naomi <naomi@example.org>",
    "n\u00e4omi@example.org",
    "naomi@[127.0.0.1]",
    ".@gmail.com",
    "+tag@gmail.com",
    "naomi@example.org\r\nBcc: everyone@example.org",
]
CONTROL_CHARACTERS = ["\x00", "\x07", "\x1b", "\x7f", "\u0085", "\u202e", "\u2028", "\ud800"]
pytestmark = pytest.mark.django_db


class TestMalformed:
    @pytest.fixture(autouse=True)
    def _without_rate_limits(self, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False

    @pytest.mark.parametrize("field", ["email", "password"])
    def test_a_required_field_must_be_present(self, api: APIClient, field: str) -> None:
        body = {name: value for name, value in NEWCOMER.items() if name != field}

        answer = api.post(REGISTER, body)

        assert_refused(answer, field)
        assert_nothing_stored()

    def test_an_empty_text_is_refused(self, api: APIClient) -> None:
        fields = ["email", "password", "password_confirm"]

        assert not_refused(api, [(field, "") for field in fields]) == {}
        assert_nothing_stored()

    def test_null_is_refused_for_a_required_field(self, api: APIClient) -> None:
        assert not_refused(api, [(field, None) for field in ("email", "password")]) == {}
        assert_nothing_stored()

    def test_a_text_field_takes_a_string_only(self, api: APIClient) -> None:
        values: list[object] = [1, 1.5, True, [], ["text"], {}, {"text": "text"}]

        assert not_refused(api, itertools.product(TEXTS, values)) == {}
        assert_nothing_stored()

    def test_a_consent_takes_true_only(self, api: APIClient) -> None:
        values: list[object] = ["true", "yes", 1, 0, [], [True], {}]

        assert not_refused(api, itertools.product(CONSENTS, values)) == {}
        assert_nothing_stored()

    def test_a_value_out_of_bounds_is_refused(self, api: APIClient) -> None:
        assert not_refused(api, OUT_OF_BOUNDS) == {}
        assert_nothing_stored()

    def test_a_malformed_address_is_refused(self, api: APIClient) -> None:
        assert not_refused(api, [("email", email) for email in MALFORMED_ADDRESSES]) == {}
        assert_nothing_stored()

    def test_control_characters_and_surrogates_are_refused(self, api: APIClient) -> None:
        valid = {"email": "naomi@example.org", "timezone": "UTC", "username": "naomi"}
        failures = {}

        for field, character in itertools.product(TEXTS, CONTROL_CHARACTERS):
            good = valid.get(field, PASSWORD)
            body = json.dumps({**NEWCOMER, field: good[:3] + character + good[3:]})
            answer = api.post(REGISTER, body, content_type="application/json")
            if wrong := refusal_mismatch(answer, field):
                failures[field, character] = wrong

        assert failures == {}
        assert_nothing_stored()

    def test_every_invalid_field_is_named_at_once(self, api: APIClient) -> None:
        answer = api.post(REGISTER, {"email": "naomi", "username": "x", "terms_accepted": False})

        assert_refused(answer, "email", "username", "terms_accepted", "password")
        assert_nothing_stored()
