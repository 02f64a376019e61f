"""Registering a taken address does not tell that it is taken."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail, User
from authentication.tests.answers import PER_REQUEST
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer
from authentication.tests.factories import PASSWORD

from .questions import KNOWN, KNOWN_NAME, QUESTIONS, UNKNOWN, visible

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("ruth"),
]


def register(email: str, username: str) -> Any:
    return APIClient().post(
        f"{API}/register/", {"email": email, "password": PASSWORD, "username": username}
    )


class TestTakenAddress:
    def test_only_the_owner_gets_a_mail(self) -> None:
        answer = QUESTIONS["register"].ask(KNOWN)

        assert answer.status_code == 201
        assert OutgoingEmail.objects.get().kind == "account_exists"
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "spelled", [str, str.upper, lambda name: f"\uff4e{name[1:]}"], ids=["same", "upper", "wide"]
    )
    def test_the_requested_username_is_taken_afterwards(
        self, spelled: Callable[[str], str], settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        register(KNOWN, "naomi")
        register(UNKNOWN, "nahum")

        held, taken = (register("new@example.org", spelled(name)) for name in ("naomi", "nahum"))

        assert (held.status_code, held.json()["errors"]) == (
            400,
            {"username": ["This username is taken."]},
        )
        assert visible(held) == visible(taken)

    def test_a_signed_in_user_cannot_take_that_username(
        self, api: APIClient, signed_in: dict[str, Any]
    ) -> None:
        register(KNOWN, "naomi")
        register(UNKNOWN, "nahum")

        held, taken = (
            api.patch(ME, {"username": name}, headers=bearer(signed_in["access"]))
            for name in ("naomi", "nahum")
        )

        counted = PER_REQUEST | {"RateLimit"}
        assert held.status_code == 400
        assert visible(held, ignore=counted) == visible(taken, ignore=counted)

    def test_a_taken_username_is_refused_for_both(self, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False

        known, unknown = register(KNOWN, KNOWN_NAME.upper()), register(UNKNOWN, KNOWN_NAME.upper())

        assert known.status_code == 400
        assert visible(known) == visible(unknown)

    def test_a_setting_names_the_taken_address(self, settings: Settings) -> None:
        settings.PREVENT_EMAIL_ENUMERATION = False

        answer = QUESTIONS["register"].ask(KNOWN.upper())

        assert answer.status_code == 400
        assert answer.json()["errors"] == {
            "email": ["There is already an account with this email address."]
        }
