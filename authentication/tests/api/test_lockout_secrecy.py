"""A lock looks the same for existing and unknown names."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, PasswordResetToken, User, UserSession
from authentication.tests.answers import comparable
from authentication.tests.clients import NEW_PASSWORD, sign_in
from authentication.tests.conftest import API, queries
from authentication.tests.factories import PASSWORD

from .lockout import FAILED, KINDS, LOCKED, UNKNOWN, account, attempt, fail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock"), pytest.mark.security]


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_to_the_lock_and_through_it_is_the_same(
    time_machine: TimeMachineFixture, api: APIClient, kind: str
) -> None:
    known = account(kind).email
    answers = []
    for minutes in (*[0] * 7, 29, 1, *[0] * 7):
        time_machine.shift(dt.timedelta(minutes=minutes))
        answers.append([comparable(attempt(api, name)) for name in (known, UNKNOWN)])

    assert all(known == unknown for known, unknown in answers)
    statuses = [known["status"] for known, _ in answers]
    assert statuses == [401] * 5 + [403] * 3 + [401] * 5 + [403] * 3


@pytest.mark.parametrize("tried", ["username", "email"])
def test_a_lock_by_one_name_does_not_show_by_the_other(
    api: APIClient, person: User, tried: str
) -> None:
    other = {"username": person.email, "email": person.username}[tried]
    fail(api, getattr(person, tried), 6)

    answers = [[comparable(attempt(api, name)) for name in (other, UNKNOWN)] for _ in range(7)]

    assert all(known == unknown for known, unknown in answers)


def test_a_lock_by_one_name_refuses_the_other_like_a_wrong_password(
    api: APIClient, person: User
) -> None:
    fail(api, person.username, 5)

    right, wrong = (attempt(api, person.email, password) for password in (PASSWORD, "Wrong-1"))

    assert comparable(right) == comparable(wrong)
    assert right.json()["code"] == "invalid_credentials"
    assert not UserSession.objects.exists()
    failed = AuditLog.objects.filter(event_type="login_failed", user=person)
    reasons = sorted(failed.values_list("metadata__reason", flat=True))
    assert reasons == ["credentials"] * 5 + ["locked"] * 2


def test_five_passwords_are_compared_over_all_names(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str | None] = []

    def compare(_: User, password: str | None) -> bool:
        compared.append(password)
        return False

    monkeypatch.setattr(User, "check_password", compare)

    for name in (person.username, person.email) * 6:
        fail(api, name, 1)

    assert len(compared) == 5


def test_a_sign_in_of_the_owner_does_not_show_in_the_count(api: APIClient, person: User) -> None:
    for name in (person.email, UNKNOWN):
        fail(api, name, 4)
    sign_in(api, person)

    answers = [
        [comparable(attempt(api, name)) for name in (person.email, UNKNOWN)] for _ in range(3)
    ]

    assert all(known == unknown for known, unknown in answers)
    assert [known["status"] for known, _ in answers] == [401, 403, 403]


def test_reset_by_the_owner_changes_no_answer(
    time_machine: TimeMachineFixture, api: APIClient, person: User
) -> None:
    for name in (person.email, UNKNOWN):
        fail(api, name, 5)
    time_machine.shift(1)
    token = PasswordResetToken.objects.issue(person, at=timezone.now())

    reset = api.post(
        f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD}
    )

    api.cookies.clear()
    known, unknown = (attempt(api, name, NEW_PASSWORD) for name in (person.email, UNKNOWN))
    assert reset.status_code == 200
    assert comparable(known) == comparable(unknown)
    assert known.json()["code"] == "account_locked"


def test_right_passwords_do_not_count_against_a_name(api: APIClient, person: User) -> None:
    for _ in range(6):
        sign_in(api, person)

    assert fail(api, person.email, 6) == [FAILED] * 5 + [LOCKED]


def test_a_lock_of_the_name_alone_is_not_an_event_of_the_account(
    api: APIClient, person: User
) -> None:
    fail(api, person.email, 4)
    sign_in(api, person)

    codes = fail(api, person.email, 2)

    person.refresh_from_db()
    assert codes == [FAILED, LOCKED]
    assert person.locked_until is None
    # One of the name is written, as for a name without an account.
    assert not AuditLog.objects.filter(event_type="account_locked", user=person).exists()


def test_a_device_id_that_is_not_known_changes_nothing(api: APIClient, person: User) -> None:
    forged = ".".join(["A" * 43, "B" * 43])

    answers = [
        [comparable(attempt(api, name, device=forged)) for name in (person.email, UNKNOWN)]
        for _ in range(6)
    ]

    assert all(known == unknown for known, unknown in answers)
    assert [known["status"] for known, _ in answers] == [401] * 5 + [403]


class TestTheCost:
    @pytest.mark.parametrize("device", ["", "A" * 43])
    def test_known_and_unknown_names_need_the_same_statements(
        self, api: APIClient, person: User, device: str
    ) -> None:
        kinds = []
        for name in (person.email, UNKNOWN):
            with CaptureQueriesContext(connection) as captured:
                fail(api, name, 1, device=device)
            kinds.append(sorted(sql.partition(" ")[0] for sql in queries(captured)))

        known, unknown = kinds
        assert known == unknown

    def test_a_lock_by_the_other_name_needs_the_same_statements(
        self, api: APIClient, person: User
    ) -> None:
        fail(api, person.username, 5)

        kinds = []
        for name in (person.email, UNKNOWN):
            with CaptureQueriesContext(connection) as captured:
                fail(api, name, 1)
            kinds.append([sql.partition(" ")[0] for sql in queries(captured)])

        known, unknown = kinds
        assert known == unknown

    def test_the_cache_is_asked_as_much(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache, asked = type(caches["limits"]), list[str]()

        def noted(method: str) -> Callable[..., Any]:
            original = getattr(cache, method)

            def call(*given: Any, **named: Any) -> Any:
                asked.append(method)
                return original(*given, **named)

            return call

        for method in ("add", "count", "decr", "get", "set", "incr", "touch", "delete"):
            monkeypatch.setattr(cache, method, noted(method))
        sequences = []
        for _ in range(6):
            for number, name in enumerate((person.email, UNKNOWN)):
                asked.clear()
                # Refusals are counted for a network.
                attempt(api, name, address=f"198.51.100.{number}")
                sequences.append(asked.copy())

        assert sequences[0::2] == sequences[1::2]
        assert all(sequences)
