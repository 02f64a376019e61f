"""The names that the community's front end has for what a profile holds."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from authentication.models import UserProfile
from authentication.tests.answers import assert_invalid_fields
from authentication.tests.clients import Tokens, get_as
from authentication.tests.conftest import ME

from .profile import update_profile

pytestmark = pytest.mark.django_db


def visibility(answer: Any) -> tuple[int, str, str]:
    """Return the status, and both names' values, of an answer that shows a profile."""
    shown = answer.json()
    return answer.status_code, shown["visibility"], shown["profile_visibility"]


@pytest.mark.parametrize("name", ["visibility", "profile_visibility"])
@pytest.mark.parametrize(
    ("sent", "stored", "shown"),
    [
        ("community", "members", "community"),
        ("members", "members", "community"),
        ("public", "public", "public"),
    ],
)
def test_both_names_change_the_visibility(
    api: APIClient, signed_in: Tokens, name: str, sent: str, stored: str, shown: str
) -> None:
    answer = update_profile(api, signed_in, {name: sent})

    assert visibility(answer) == (200, stored, shown)
    assert visibility(get_as(api, signed_in, ME)) == (200, stored, shown)
    assert UserProfile.objects.get().visibility == stored


@pytest.mark.parametrize(
    ("changed", "stored"),
    [
        ({"profile_visibility": "community"}, "members"),
        ({"visibility": "public"}, "public"),
        ({"visibility": "members", "profile_visibility": "community"}, "members"),
        ({}, "private"),
    ],
)
def test_a_profile_that_is_sent_back_changes_what_was_changed_in_it(
    api: APIClient, signed_in: Tokens, changed: dict[str, str], stored: str
) -> None:
    shown = get_as(api, signed_in, ME).json()

    answer = update_profile(api, signed_in, {**shown, **changed})

    assert (answer.status_code, answer.json()["visibility"]) == (200, stored)


def test_two_visibilities_are_refused_with_all_else_that_is_wrong(
    api: APIClient, signed_in: Tokens
) -> None:
    answer = update_profile(
        api,
        signed_in,
        {"visibility": "public", "profile_visibility": "community", "timezone": "Mars"},
    )

    assert_invalid_fields(answer, "profile_visibility", "timezone")
    assert UserProfile.objects.get().visibility == "private"


@pytest.mark.parametrize("value", ["", "everyone", "COMMUNITY", 1, ["community"], {"a": 1}])
def test_another_word_is_refused(api: APIClient, signed_in: Tokens, value: Any) -> None:
    for sent in ({"profile_visibility": value}, {"profile_visibility": value, "visibility": ""}):
        answer = update_profile(api, signed_in, sent)

        assert_invalid_fields(answer, *sent)


def test_a_display_name_is_shown_before_the_username_and_never_an_address(
    api: APIClient, signed_in: Tokens
) -> None:
    before = get_as(api, signed_in, ME).json()
    after = update_profile(api, signed_in, {"display_name": "Ruth M."}).json()

    assert before["display_name_or_email"] == before["username"]
    assert after["display_name_or_email"] == "Ruth M."


@pytest.mark.parametrize(
    ("name", "value"),
    [("date_joined", "2020-01-01T00:00:00Z"), ("display_name_or_email", "Naomi")],
)
def test_what_is_only_shown_cannot_be_changed(
    api: APIClient, signed_in: Tokens, name: str, value: str
) -> None:
    assert_invalid_fields(update_profile(api, signed_in, {name: value}), name)
