"""Usernames that are held: after a registration with a taken address, a change, and a deletion."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import User, UsernameHold
from authentication.services.accounts import erase, reserved_usernames
from authentication.services.operations.retention import RetentionService
from authentication.tests.answers import assert_invalid_fields
from authentication.tests.clients import NOON, Tokens, sign_in
from authentication.tests.conftest import queries
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper

from .profile import update_profile
from .registration import register

DAY = dt.timedelta(days=1)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("without_rate_limits"),
    pytest.mark.time_machine(NOON, tick=False),
]


def is_free(username: str) -> bool:
    """Return whether a newcomer gets a username; the registration is taken back."""
    answer = register(APIClient(), email=f"{username}-new@example.org", username=username)
    if answer.status_code == 400:
        assert answer.json()["errors"] == {"username": ["This username is taken."]}
        return False
    tamper(User.objects.filter(username=username))
    UsernameHold.objects.of_name(username).delete()
    return True


def rename(api: APIClient, tokens: Tokens, username: str) -> Any:
    return update_profile(api, tokens, {"username": username})


class TestChanges:
    def test_a_former_username_is_held_for_ninety_days(
        self, api: APIClient, person: User, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        former = person.username
        assert rename(api, signed_in, "naomi").status_code == 200
        found = {}

        for days in (0, 30, 89.9, 90.1):
            time_machine.move_to(NOON + days * DAY)
            RetentionService.clean("accounts")
            found[days] = is_free(former)

        assert found == {0: False, 30: False, 89.9: False, 90.1: True}

    def test_only_its_former_owner_may_come_back_to_it(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        former, other = person.username, sign_in(api, UserFactory())
        rename(api, signed_in, "naomi")

        refused = rename(api, other, former.upper())
        back = rename(api, signed_in, former)

        assert_invalid_fields(refused, "username")
        assert (back.status_code, back.json()["username"]) == (200, former)
        assert not is_free("naomi")

    @pytest.mark.parametrize("username", ["paull", "paulI", "PAULL", "pau\u04cf\u04cf"])
    def test_what_looks_like_a_former_username_is_held_too(
        self, api: APIClient, username: str
    ) -> None:
        paul = sign_in(api, UserFactory(username="paull"))
        rename(api, paul, "naomi")

        assert_invalid_fields(register(api, username=username), "username")

    @pytest.mark.parametrize("holder", [None, "another"])
    def test_a_claim_does_not_end_the_hold_of_another(
        self, person: User, holder: str | None
    ) -> None:
        other = UserFactory().pk if holder else None
        UsernameHold.objects.claim("naomi", user_id=other, at=NOON)

        # Both had found the name free.
        for user_id in (person.pk, None):
            with pytest.raises(IntegrityError), transaction.atomic():
                UsernameHold.objects.claim("naomi", user_id=user_id, at=NOON)

        assert UsernameHold.objects.get().user_id == other

    def test_a_name_that_is_taken_after_the_check_is_refused_as_taken(
        self, api: APIClient, signed_in: Tokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = UserFactory(username="naomi")
        monkeypatch.setattr(reserved_usernames, "check_username_free", lambda *_, **__: None)

        assert_invalid_fields(rename(api, signed_in, other.username), "username")

    def test_a_change_of_case_holds_nothing(self, api: APIClient, signed_in: Tokens) -> None:
        rename(api, signed_in, "naomi")
        UsernameHold.objects.all().delete()

        assert rename(api, signed_in, "Naomi").status_code == 200
        assert not UsernameHold.objects.exists()


class TestDeletions:
    def test_the_name_of_an_erased_account_is_held_as_long_as_a_changed_one(
        self, person: User, time_machine: TimeMachineFixture
    ) -> None:
        name = person.username
        User.objects.request_deletion(person.pk, at=NOON)
        erase(person.pk)
        found = {}

        for days in (0, 89.9, 90.1):
            time_machine.move_to(NOON + days * DAY)
            RetentionService.clean("accounts")
            found[days] = is_free(name)

        assert found == {0: False, 89.9: False, 90.1: True}

    def test_an_erasure_does_not_shorten_the_hold_of_a_former_name(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        former = person.username
        rename(api, signed_in, "naomi")
        User.objects.request_deletion(person.pk, at=NOON)

        erase(person.pk)

        assert not is_free(former)
        assert not UsernameHold.objects.exclude(user=None).exists()

    def test_a_name_asked_for_with_any_address_is_free_at_the_same_time(
        self, api: APIClient, person: User, settings: Settings, time_machine: TimeMachineFixture
    ) -> None:
        settings.UNVERIFIED_ACCOUNT_RETENTION = 30 * DAY
        register(api, email=person.email, username="naomi")
        register(api, email="orpah@example.org", username="orpah")
        found = {}

        for days in (0, 29.9, 30.1):
            time_machine.move_to(NOON + days * DAY)
            RetentionService.clean("accounts")
            found[days] = (is_free("naomi"), is_free("orpah"))

        assert found == {0: (False, False), 29.9: (False, False), 30.1: (True, True)}

    def test_without_a_retention_period_a_name_stays_held(
        self, api: APIClient, person: User, settings: Settings, time_machine: TimeMachineFixture
    ) -> None:
        settings.UNVERIFIED_ACCOUNT_RETENTION = dt.timedelta(0)
        register(api, email=person.email, username="naomi")

        time_machine.move_to(NOON + 400 * DAY)
        RetentionService.clean("accounts")

        assert not is_free("naomi")


class TestSecrecy:
    @pytest.mark.parametrize("way", ["register", "patch"])
    def test_held_and_taken_names_need_the_same_statements(
        self, api: APIClient, person: User, signed_in: Tokens, way: str
    ) -> None:
        register(api, email=person.email, username="naomi")
        register(api, email="orpah@example.org", username="orpah")
        found = []

        for name in ("naomi", "orpah"):
            with CaptureQueriesContext(connection) as captured:
                if way == "register":
                    answer = register(api, email="other@example.org", username=name)
                else:
                    answer = rename(api, signed_in, name)
            assert_invalid_fields(answer, "username")
            found.append([sql.split("WHERE")[0] for sql in queries(captured)])

        assert found[0] == found[1]

    def test_a_hold_does_not_contain_the_name(self, api: APIClient, person: User) -> None:
        register(api, email=person.email, username="naomi")

        assert "naomi" not in str(UsernameHold.objects.values())

    def test_a_new_secret_key_frees_no_name(
        self, api: APIClient, person: User, settings: Settings
    ) -> None:
        register(api, email=person.email, username="naomi")

        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-that-is-long-enough-for-the-checks-0123456789"

        assert not is_free("naomi")
