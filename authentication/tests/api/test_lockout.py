"""POST login/: five wrong passwords lock a name for half an hour (docs/lockout.md)."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User, UserSession
from authentication.services.passwords import hashers
from authentication.tests.answers import comparable, cookie_of
from authentication.tests.clients import NEW_PASSWORD, Tokens, refreshed, sign_in, use_access
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory

from .lockout import FAILED, KINDS, LOCKED, UNKNOWN, account, attempt, fail

Deliver = Callable[[], list[EmailMessage]]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock")]
EITHER = pytest.mark.parametrize("name", ["known", "unknown"])


def identifier(name: str, person: User) -> str:
    return person.email if name == "known" else UNKNOWN


class TestTheLock:
    def test_the_sixth_attempt_is_refused_for_half_an_hour(
        self, api: APIClient, person: User
    ) -> None:
        codes = fail(api, person.email, 6)

        person.refresh_from_db()
        assert codes == [FAILED] * 5 + [LOCKED]
        assert person.locked_until == timezone.now() + dt.timedelta(minutes=30)
        assert AuditLog.objects.filter(event_type="account_locked", risk_level="high").count() == 1
        assert AuditLog.objects.filter(event_type="login_failed").count() == 6
        assert not UserSession.objects.exists()

    def test_the_refusal_says_when_to_come_back(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        fail(api, person.email, 5)
        time_machine.shift(dt.timedelta(minutes=10))

        answer = attempt(api, person.email)

        body = answer.json()
        assert (answer.status_code, answer["Retry-After"]) == (403, "1200")
        assert (body["code"], body["title"]) == ("account_locked", "Account locked")
        assert cookie_of(answer) is None

    @EITHER
    def test_the_answer_does_not_depend_on_the_password(
        self, api: APIClient, person: User, name: str
    ) -> None:
        fail(api, identifier(name, person), 5)

        right, wrong = (attempt(api, identifier(name, person), it) for it in (PASSWORD, "Wrong-1"))

        assert right.status_code == 403
        assert comparable(right) == comparable(wrong)
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize(("minutes", "status"), [(29, 403), (30, 200), (31, 200)])
    def test_the_lock_ends_after_half_an_hour(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        person: User,
        minutes: int,
        status: int,
    ) -> None:
        fail(api, person.email, 5)

        time_machine.shift(dt.timedelta(minutes=minutes))

        assert attempt(api, person.email, PASSWORD).status_code == status

    @EITHER
    def test_failures_during_a_lock_do_not_extend_it(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, name: str
    ) -> None:
        fail(api, identifier(name, person), 5)
        for _ in range(5):
            time_machine.shift(dt.timedelta(minutes=5))
            fail(api, identifier(name, person), 3)
        time_machine.shift(dt.timedelta(minutes=5))

        assert fail(api, identifier(name, person), 6) == [FAILED] * 5 + [LOCKED]

    def test_a_right_password_resets_the_count(self, api: APIClient, person: User) -> None:
        statuses = [
            (fail(api, person.username if turn else person.email, 4)[-1], sign_in(api, person))[0]
            for turn in range(2)
        ]

        person.refresh_from_db()
        assert statuses == [FAILED, FAILED]
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_right_password_on_the_last_attempt_signs_in(
        self, api: APIClient, person: User
    ) -> None:
        fail(api, person.email, 4)

        answer = attempt(api, person.email, PASSWORD)

        person.refresh_from_db()
        assert answer.status_code == 200
        assert (person.failed_login_attempts, person.locked_until) == (0, None)
        assert not OutgoingEmail.objects.filter(kind="account_locked").exists()

    @EITHER
    def test_failures_by_a_name_are_forgotten_after_an_hour(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, name: str
    ) -> None:
        fail(api, identifier(name, person), 4)
        time_machine.shift(3601)

        assert fail(api, identifier(name, person), 6) == [FAILED] * 5 + [LOCKED]

    @EITHER
    def test_threshold_and_minutes_are_settings(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        person: User,
        settings: Settings,
        name: str,
    ) -> None:
        settings.ACCOUNT_LOCKOUT_THRESHOLD, settings.ACCOUNT_LOCKOUT_MINUTES = 2, 1

        codes = fail(api, identifier(name, person), 3)
        time_machine.shift(dt.timedelta(minutes=1))

        assert codes == [FAILED] * 2 + [LOCKED]
        assert fail(api, identifier(name, person), 1) == [FAILED]

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_unlocked_attempt_costs_one_hash_and_a_locked_one_none(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        names, hashed, turn = (account(kind).email, UNKNOWN), list[int](), hashers._turn

        def counted() -> Any:
            hashed.append(1)
            return turn()

        monkeypatch.setattr(hashers, "_turn", counted)
        counts = []
        for name in names:
            for times in (5, 1):
                hashed.clear()
                fail(api, name, times)
                counts.append(len(hashed))

        assert counts == [5, 0, 5, 0]


class TestWhatIsLocked:
    def test_all_names_of_an_account_share_five_failures(self, api: APIClient) -> None:
        UserFactory(email="Ruth.Moab@gmail.com", username="Ruth")
        names = ["ruth", "RUTH", "ruthmoab@gmail.com", "r.u.t.h.moab+x@googlemail.com", "\uff32uth"]

        for name in names:
            fail(api, name, 1)

        assert attempt(api, names[-1], PASSWORD).status_code == 401
        assert not UserSession.objects.exists()

    def test_all_spellings_of_an_unknown_name_are_one(self, api: APIClient) -> None:
        for spellings in (["none@gmail.com", "N.One+x@googlemail.com"], ["no.one", "NO.ONE"]):
            codes = [fail(api, name, 1)[0] for name in spellings * 3]

            assert codes == [FAILED] * 5 + [LOCKED]

    def test_other_accounts_are_not_locked(self, api: APIClient, person: User) -> None:
        fail(api, person.email, 5)

        assert attempt(api, UserFactory().email, PASSWORD).status_code == 200
        assert attempt(api, "somebody@example.org").status_code == 401

    def test_sessions_live_on_and_a_refresh_does_not_lift_the_lock(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        fail(api, person.email, 5)

        assert use_access(api, signed_in) == 200
        assert refreshed(api, signed_in["refresh"])["access"]
        assert attempt(api, person.email, PASSWORD).status_code == 403

    @pytest.mark.parametrize("device", ["known", "unknown"])
    def test_a_lock_by_hand_refuses_every_device(
        self, api: APIClient, person: User, device: str
    ) -> None:
        known = sign_in(api, person)["device_id"] if device == "known" else ""
        person.lock_account()

        answers = [
            attempt(api, name, PASSWORD, device=known) for name in (person.email, person.username)
        ]

        assert [it.json()["code"] for it in answers] == ["account_locked"] * 2

    def test_staff_lift_a_lock_for_every_name(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        for _ in range(2):
            fail(api, person.email, 5)
            fail(api, person.username, 5)
            time_machine.shift(1)

            person.unlock_account()

            assert fail(api, person.username, 2) + fail(api, person.email, 2) == [FAILED] * 4
            assert attempt(api, person.email, PASSWORD).status_code == 200

    def test_right_password_shows_the_account_state_and_resets_the_count(
        self, api: APIClient
    ) -> None:
        unproven = account("unproven")
        fail(api, unproven.email, 4)

        answer = attempt(api, unproven.email, PASSWORD)

        unproven.refresh_from_db()
        assert answer.json()["code"] == "email_not_verified"
        assert unproven.failed_login_attempts == 0


class TestTheMail:
    def test_the_owner_is_mailed_once_per_lock(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        fail(api, person.email, 9)
        first = [message.to for message in delivered()]
        time_machine.shift(dt.timedelta(minutes=30))
        fail(api, person.email, 9)

        assert first == [[person.email]]
        assert [message.to for message in delivered()] == [[person.email]] * 2
        assert {mail.kind for mail in OutgoingEmail.objects.all()} == {"account_locked"}

    def test_a_lock_of_the_second_name_mails_no_second_time(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        fail(api, person.username, 6)
        fail(api, person.email, 6)

        assert [message.to for message in delivered()] == [[person.email]]
        locks = AuditLog.objects.filter(event_type="account_locked")
        assert {event.user_id for event in locks} == {person.pk, None}

    def test_an_unknown_name_and_four_failures_mail_nobody(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        fail(api, UNKNOWN, 9)
        fail(api, person.email, 4)

        assert delivered() == []


def test_a_reset_lifts_the_lock_on_the_device_that_makes_it(api: APIClient, person: User) -> None:
    fail(api, person.email, 5)
    token = PasswordResetToken.objects.issue(person, at=timezone.now())
    reset = {"token": token, "new_password": NEW_PASSWORD}

    answer = api.post(f"{API}/password/reset/confirm/", reset)

    device = answer.json()["device_id"]
    assert attempt(api, person.email, NEW_PASSWORD, device=device).status_code == 200
