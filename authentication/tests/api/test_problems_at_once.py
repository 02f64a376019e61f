"""All that is wrong with a body is reported at once, and every error has `details`."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import User
from authentication.tests.answers import assert_invalid_fields, refusal_of
from authentication.tests.clients import LOGIN, WRONG_PASSWORD, Tokens, log_in, post_as
from authentication.tests.conftest import API, ME, Deliver, bearer, token_in
from authentication.tests.factories import PASSWORD

from .registration import register

PASSWORD_CHANGE = f"{API}/password/change/"
RESET_CONFIRM = f"{API}/password/reset/confirm/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_rate_limits")]


class TestRegistration:
    def test_invalid_fields_a_weak_password_and_a_wrong_repetition_are_reported_together(
        self, api: APIClient
    ) -> None:
        answer = register(
            api, email="no address", timezone="", password="weak", password_confirm="other"
        )

        errors = answer.json()["errors"]
        assert errors.keys() >= {"email", "password", "password_confirm"}
        assert len(errors["password"]) >= 2

    def test_a_weak_password_and_a_taken_username_are_reported_together(
        self, api: APIClient, person: User
    ) -> None:
        answer = register(api, username=person.username, password="weak")

        assert_invalid_fields(answer, "password", "username")

    def test_a_taken_username_is_reported_beside_an_invalid_field(
        self, api: APIClient, person: User
    ) -> None:
        answer = register(api, username=person.username, email="no address")

        assert_invalid_fields(answer, "email", "username")

    def test_a_password_similar_to_the_name_is_reported_beside_an_invalid_field(
        self, api: APIClient
    ) -> None:
        answer = register(api, password="Bethlehem-1", email="no address")

        assert_invalid_fields(answer, "email", "password")

    def test_missing_consents_are_reported_with_the_rest(
        self, api: APIClient, settings: Settings
    ) -> None:
        settings.REQUIRE_CONSENT = True

        answer = register(api, password="weak", terms_accepted=False)

        assert_invalid_fields(answer, "password", "terms_accepted", "privacy_policy_accepted")

    def test_a_taken_address_is_not_revealed_by_other_errors(
        self, api: APIClient, person: User
    ) -> None:
        known, unknown = (
            register(api, email=email, password="weak", username="x")
            for email in (person.email, "orpah@example.org")
        )

        refusal = refusal_of(known)
        assert refusal == refusal_of(unknown)
        assert refusal["errors"].keys() == {"password", "username"}


class TestPasswords:
    def test_a_change_reports_a_wrong_repetition_with_a_weak_password(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        body = {"new_password": "weak", "new_password_confirm": "other"}

        answer = post_as(api, signed_in, PASSWORD_CHANGE, body)

        assert_invalid_fields(answer, "old_password", "new_password", "new_password_confirm")

    def test_a_change_reports_a_wrong_old_password_with_a_weak_new_one(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        body = {"old_password": WRONG_PASSWORD, "new_password": "weak"}

        answer = post_as(api, signed_in, PASSWORD_CHANGE, body)

        assert_invalid_fields(answer, "old_password", "new_password")

    @pytest.mark.parametrize(
        "body",
        [
            {"old_password": WRONG_PASSWORD},
            {"old_password": PASSWORD, "new_password_confirm": "other"},
        ],
        ids=["wrong", "invalid"],
    )
    def test_a_refused_change_does_not_tell_which_passwords_were_used_before(
        self, api: APIClient, signed_in: Tokens, body: dict[str, str]
    ) -> None:
        answer = post_as(api, signed_in, PASSWORD_CHANGE, {**body, "new_password": PASSWORD})

        assert "new_password" not in answer.json()["errors"]

    def test_a_reset_reports_a_wrong_repetition_with_a_weak_password(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        api.post(f"{API}/password/reset/", {"email": person.email})
        token = token_in(delivered()[-1])

        answer = api.post(
            RESET_CONFIRM,
            {"token": token, "new_password": "weak", "new_password_confirm": "other"},
        )

        assert_invalid_fields(answer, "new_password", "new_password_confirm")


def test_a_sign_in_reports_every_missing_field(api: APIClient) -> None:
    answer = api.post(LOGIN, {"remember_me": "perhaps"})

    assert_invalid_fields(answer, "email_or_username", "password", "remember_me")


def test_an_invalid_identifier_is_not_reported_as_missing(api: APIClient) -> None:
    answer = api.post(LOGIN, {"email": "a\x00b", "password": PASSWORD})

    assert_invalid_fields(answer, "email")


def test_details_repeat_the_errors_or_hold_the_sentence(
    api: APIClient, person: User, signed_in: Tokens
) -> None:
    refused: dict[str, Any] = {
        "fields": api.patch(ME, {"timezone": "Mars"}, headers=bearer(signed_in["access"])),
        "password": log_in(api, person, WRONG_PASSWORD),
        "token": api.get(ME),
        "path": api.get("/api/nowhere/"),
        "method": api.put(LOGIN),
    }

    assert refused["fields"].json()["details"] == refused["fields"].json()["errors"]
    assert {name: answer.json()["details"] for name, answer in refused.items()} == {
        "fields": refused["fields"].json()["errors"],
        **{
            name: {"non_field_errors": [refused[name].json()["detail"]]}
            for name in ("password", "token", "path", "method")
        },
    }
