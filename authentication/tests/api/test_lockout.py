"""Lockout: how many passwords may be tried, for accounts and for names nobody has (contract 6)."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.services import ExchangeTokenService
from authentication.services.passwords import hashers
from authentication.tests.answers import cookie_of
from authentication.tests.clients import Tokens, refreshed, sign_in, use_access
from authentication.tests.conftest import API, bearer, queries
from authentication.tests.factories import PASSWORD, UserFactory

LOGIN = f"{API}/login/"
NOBODY = "nobody@example.org"
HOME, ELSEWHERE, ABROAD = "127.0.0.1", "203.0.113.9", "2001:db8:1:2::3"
WRONG = "Wrong-Horse-9"
DETAIL = "Too many wrong attempts. Try again later, or reset your password to sign in now."

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_clock(time_machine: TimeMachineFixture, settings: Settings) -> None:
    """Stop the clock, also for the cache: Redis would keep its own time."""
    settings.RATELIMIT_ENABLE = False
    settings.CACHES = {
        name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": name}
        for name in ("default", "limits")
    }
    caches["limits"].clear()
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)


def attempt(api: APIClient, name: str, password: str = WRONG, *, at: str = HOME) -> Any:
    return api.post(LOGIN, {"email_or_username": name, "password": password}, REMOTE_ADDR=at)


def failures(api: APIClient, name: str, count: int, *, at: str = HOME) -> list[tuple[int, str]]:
    """Try a wrong password so many times; return the statuses and codes."""
    answers = [attempt(api, name, at=at) for _ in range(count)]
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def told(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return the answer, byte for byte, but for the name of the request and what it cost."""
    differ = {"X-Correlation-ID", "X-Response-Time", "Server-Timing"}
    content = answer.content.replace(answer["X-Correlation-ID"].encode(), b"")
    return (
        answer.status_code,
        content,
        {name: value for name, value in answer.items() if name not in differ},
    )


class TestLock:
    def test_five_failures_lock_for_half_an_hour(self, api: APIClient, person: User) -> None:
        codes = failures(api, person.email, 6)

        person.refresh_from_db()
        assert codes == [(401, "invalid_credentials")] * 5 + [(403, "account_locked")]
        assert person.locked_until == timezone.now() + dt.timedelta(minutes=30)
        assert AuditLog.objects.filter(event_type="account_locked", risk_level="high").count() == 1
        assert AuditLog.objects.filter(event_type="login_failed").count() == 6
        assert not UserSession.objects.exists()

    def test_four_do_not(self, api: APIClient, person: User) -> None:
        failures(api, person.email, 4)

        assert attempt(api, person.email, PASSWORD).status_code == 200

    def test_the_refusal_says_when_to_come_back(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        failures(api, person.email, 5)
        time_machine.shift(dt.timedelta(minutes=10))

        answer = attempt(api, person.email)

        body = answer.json()
        assert answer.status_code == 403
        assert 20 * 60 <= int(answer["Retry-After"]) <= 20 * 60 + 1
        assert (body["code"], body["title"], body["detail"]) == (
            "account_locked",
            "Account locked",
            DETAIL,
        )
        assert cookie_of(answer) is None

    @pytest.mark.parametrize("name", ["known", "unknown"])
    def test_the_answer_does_not_depend_on_the_password(
        self, api: APIClient, person: User, name: str
    ) -> None:
        identifier = person.email if name == "known" else NOBODY
        failures(api, identifier, 5)

        right, wrong = attempt(api, identifier, PASSWORD), attempt(api, identifier)

        assert right.status_code == 403
        assert told(right) == told(wrong)
        assert not UserSession.objects.exists()

    @pytest.mark.parametrize(("minutes", "status"), [(29, 403), (30, 200), (31, 200)])
    def test_it_ends_by_itself(
        self,
        time_machine: TimeMachineFixture,
        api: APIClient,
        person: User,
        minutes: int,
        status: int,
    ) -> None:
        failures(api, person.email, 5)

        time_machine.shift(dt.timedelta(minutes=minutes))

        assert attempt(api, person.email, PASSWORD).status_code == status

    @pytest.mark.parametrize("name", ["known", "unknown"])
    def test_failures_during_it_do_not_extend_it(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, name: str
    ) -> None:
        identifier = person.email if name == "known" else NOBODY
        failures(api, identifier, 5)
        for _ in range(5):
            time_machine.shift(dt.timedelta(minutes=5))
            failures(api, identifier, 3)
        time_machine.shift(dt.timedelta(minutes=5))

        assert failures(api, identifier, 5) == [(401, "invalid_credentials")] * 5

    @pytest.mark.parametrize("name", ["known", "unknown"])
    def test_after_it_the_count_begins_anew_and_locks_again(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, name: str
    ) -> None:
        identifier = person.email if name == "known" else NOBODY
        failures(api, identifier, 5)
        time_machine.shift(dt.timedelta(minutes=30))

        codes = failures(api, identifier, 6)

        assert codes == [(401, "invalid_credentials")] * 5 + [(403, "account_locked")]

    def test_a_success_resets_the_count(self, api: APIClient, person: User) -> None:
        for _ in range(3):
            failures(api, person.email, 4)
            assert attempt(api, person.email, PASSWORD).status_code == 200

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_only_failures_in_a_row_count(self, api: APIClient, person: User) -> None:
        failures(api, person.email, 4)
        attempt(api, person.email, PASSWORD)

        assert failures(api, person.email, 4) == [(401, "invalid_credentials")] * 4
        assert attempt(api, person.email, PASSWORD).status_code == 200

    def test_the_right_password_on_the_last_attempt_comes_in(
        self, api: APIClient, person: User
    ) -> None:
        failures(api, person.email, 4)

        answer = attempt(api, person.email, PASSWORD)

        person.refresh_from_db()
        assert answer.status_code == 200
        assert (person.failed_login_attempts, person.locked_until) == (0, None)
        assert not OutgoingEmail.objects.filter(kind="account_locked").exists()

    def test_failures_are_remembered_however_slowly_they_come(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        for name in (person.email, NOBODY):
            for _ in range(5):
                failures(api, name, 1)
                time_machine.shift(dt.timedelta(hours=23))
            time_machine.shift(-dt.timedelta(hours=23))

            assert attempt(api, name).status_code == 403

    def test_threshold_and_minutes_are_settings(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, settings: Settings
    ) -> None:
        settings.ACCOUNT_LOCKOUT_THRESHOLD = 2
        settings.ACCOUNT_LOCKOUT_MINUTES = 1

        for name in (person.email, NOBODY):
            codes = failures(api, name, 3)
            time_machine.shift(dt.timedelta(minutes=1))

            assert codes == [(401, "invalid_credentials")] * 2 + [(403, "account_locked")]
            assert attempt(api, name).status_code == 401

    def test_a_failure_that_comes_after_a_success_locks_nobody(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch, delivered: Deliver
    ) -> None:
        failures(api, person.email, 4)

        def somebody_came_in(user: User, _: str) -> bool:
            User.objects.clear_attempts(user.pk)
            return False

        monkeypatch.setattr(User, "check_password", somebody_came_in)
        failures(api, person.email, 1)

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)
        assert not AuditLog.objects.filter(event_type="account_locked", user=person).exists()
        assert delivered() == []


class TestWhoIsLocked:
    def test_all_names_of_a_person_are_one(self, api: APIClient, db: None) -> None:
        ruth = UserFactory(email="Ruth.Moab@gmail.com", username="Ruth")
        sign_in(api, ruth)
        names = ["ruth", "RUTH", "ruthmoab@gmail.com", "r.u.t.h.moab+x@googlemail.com", "\uff32uth"]

        for name in names:
            failures(api, name, 1)

        assert [attempt(api, name, PASSWORD).status_code for name in names] == [403] * 5

    @pytest.mark.parametrize(
        "spellings", [["nobody@gmail.com", "N.Obody+x@googlemail.com"], ["nobody", "NOBODY"]]
    )
    def test_all_spellings_of_an_unknown_name_are_one(
        self, api: APIClient, db: None, spellings: list[str]
    ) -> None:
        for name in spellings * 3:
            attempt(api, name)

        assert [attempt(api, name).status_code for name in spellings] == [403, 403]

    def test_other_people_are_not(self, api: APIClient, person: User) -> None:
        failures(api, person.email, 5)
        failures(api, NOBODY, 5)

        assert attempt(api, UserFactory().email, PASSWORD).status_code == 200
        assert attempt(api, "somebody@example.org").status_code == 401

    def test_the_persons_sessions_live_on(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        failures(api, person.email, 5)

        assert use_access(api, signed_in) == 200
        assert refreshed(api, signed_in["refresh"])["access"]

    def test_a_refresh_does_not_lift_it(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        failures(api, person.email, 4)
        refreshed(api, signed_in["refresh"])

        failures(api, person.email, 1)

        person.refresh_from_db()
        assert person.locked_until
        assert attempt(api, person.email, PASSWORD).status_code == 403

    def test_a_reset_lifts_it(self, api: APIClient, person: User) -> None:
        failures(api, person.email, 5)
        token = PasswordResetToken.objects.issue(person, at=timezone.now())

        api.post(
            f"{API}/password/reset/confirm/", {"token": token, "new_password": "Another-Horse-7"}
        )

        assert attempt(api, person.email, "Another-Horse-7").status_code == 200

    def test_an_admin_lifts_it(self, api: APIClient, person: User) -> None:
        failures(api, person.email, 5)
        person.refresh_from_db()

        person.unlock_account()

        assert attempt(api, person.email, PASSWORD).status_code == 200

    def test_a_wrong_old_password_counts_like_a_failed_sign_in(
        self, api: APIClient, person: User
    ) -> None:
        tokens = sign_in(api, person)
        asked = {"old_password": WRONG, "new_password": "Another-Horse-7"}

        for _ in range(5):
            api.post(f"{API}/password/change/", asked, headers=bearer(tokens["access"]))

        assert attempt(api, person.email, PASSWORD).status_code == 403

    @pytest.mark.parametrize("before", [0, 5], ids=["", "after another that has ended"])
    def test_a_lock_set_by_hand_shows_at_once_whoever_asks(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, before: int
    ) -> None:
        failures(api, person.email, before, at=ABROAD)
        time_machine.shift(dt.timedelta(minutes=30))
        person.refresh_from_db()
        person.lock_account()
        began = time.monotonic()

        answers = [
            attempt(api, name, PASSWORD, at=ELSEWHERE) for name in (person.email, person.username)
        ]

        assert [answer.status_code for answer in answers] == [403, 403]
        assert time.monotonic() - began < 1, "It waited for an attempt that nobody makes."

    def test_so_does_one_whose_failures_other_code_has_counted(
        self, api: APIClient, person: User
    ) -> None:
        for _ in range(5):
            person.record_failed_login()

        assert attempt(api, person.email, PASSWORD, at=ELSEWHERE).status_code == 403


class TestStrangers:
    """Who asks from where the owner has not shown who they are learns only what was tried by that very name."""

    @pytest.mark.parametrize("tried", ["username", "email"])
    def test_a_lock_by_one_name_does_not_show_by_the_other(
        self, api: APIClient, person: User, tried: str
    ) -> None:
        other = {"username": person.email, "email": person.username}[tried]
        failures(api, getattr(person, tried), 6, at=ELSEWHERE)

        for _ in range(7):
            known, unknown = attempt(api, other, at=ELSEWHERE), attempt(api, NOBODY, at=ELSEWHERE)
            assert told(known) == told(unknown)

        assert known.json()["code"] == "account_locked"

    def test_it_holds_by_the_other_all_the_same(self, api: APIClient, person: User) -> None:
        failures(api, person.username, 5, at=ELSEWHERE)

        right, wrong = (
            attempt(api, person.email, password, at=ELSEWHERE) for password in (PASSWORD, WRONG)
        )

        assert told(right) == told(wrong)
        assert right.json()["code"] == "invalid_credentials"
        assert not UserSession.objects.exists()
        failed = AuditLog.objects.filter(event_type="login_failed", user=person).values_list(
            "metadata__reason", flat=True
        )
        assert sorted(failed) == ["credentials"] * 5 + ["locked"] * 2

    def test_by_all_names_together_five_passwords_are_tried(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared, original = [], User.check_password

        def counted(user: User, password: str | None) -> bool:
            compared.append(password)
            return original(user, password)

        monkeypatch.setattr(User, "check_password", counted)
        for _ in range(6):
            failures(api, person.username, 1, at=ELSEWHERE)
            failures(api, person.email, 1, at=ABROAD)

        assert len(compared) == 5

    def test_the_owner_is_told_where_they_signed_in_before(
        self, api: APIClient, person: User
    ) -> None:
        sign_in(api, person)
        failures(api, person.username, 5, at=ELSEWHERE)

        at_home = [attempt(api, name, PASSWORD) for name in (person.email, person.username)]

        assert [answer.json()["code"] for answer in at_home] == ["account_locked"] * 2
        assert {answer["Retry-After"] for answer in at_home} == {"1800"}

    def test_a_sign_in_of_the_owners_does_not_show_by_a_count_begun_anew(
        self, api: APIClient, person: User
    ) -> None:
        for name in (person.email, NOBODY):
            failures(api, name, 4, at=ELSEWHERE)
        assert attempt(api, person.email, PASSWORD).status_code == 200

        for _ in range(3):
            known, unknown = (attempt(api, name, at=ELSEWHERE) for name in (person.email, NOBODY))
            assert told(known) == told(unknown)

        assert known.json()["code"] == "account_locked"
        assert attempt(api, person.email, PASSWORD).status_code == 200

    def test_nor_do_mistakes_that_they_make_at_home(self, api: APIClient, person: User) -> None:
        sign_in(api, person)
        failures(api, person.email, 3)

        assert failures(api, person.email, 5, at=ELSEWHERE) == [(401, "invalid_credentials")] * 5

    def test_nor_does_a_right_password_count_against_its_name(
        self, api: APIClient, person: User
    ) -> None:
        for address in (ELSEWHERE, ABROAD, HOME, "198.51.100.1", "198.51.100.2", "198.51.100.3"):
            assert attempt(api, person.email, PASSWORD, at=address).status_code == 200

        assert failures(api, person.email, 6, at="198.51.100.4")[4:] == [
            (401, "invalid_credentials"),
            (403, "account_locked"),
        ]

    def test_a_reset_lifts_it_for_its_owner_alone(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        """On the network it is asked from, a phone's perhaps, and on those they have signed in from."""
        sign_in(api, person)
        for name in (person.email, NOBODY):
            failures(api, name, 5, at=ELSEWHERE)
        time_machine.shift(1)
        token = PasswordResetToken.objects.issue(person, at=timezone.now())
        asked = {"token": token, "new_password": "Another-Horse-7"}

        assert (
            api.post(f"{API}/password/reset/confirm/", asked, REMOTE_ADDR=ABROAD).status_code == 200
        )

        known, unknown = (
            attempt(api, name, "Another-Horse-7", at=ELSEWHERE) for name in (person.email, NOBODY)
        )
        assert told(known) == told(unknown)
        assert known.json()["code"] == "account_locked"
        for network in (ABROAD, HOME):
            assert attempt(api, person.email, "Another-Horse-7", at=network).status_code == 200

    @pytest.fixture
    def while_hashing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[[Callable[[], object]], None]:
        """Return a function that has something happen while a password is hashed that is not compared."""

        def wait(_: float) -> None:
            raise AssertionError("It waited, and who waits can be told from nobody.")

        monkeypatch.setattr(time, "sleep", wait)
        return lambda act: monkeypatch.setattr(
            "authentication.services.sign_in.credentials.make_password", lambda _: act()
        )

    def test_an_attempt_that_locks_and_is_right_keeps_nobody_out(
        self, api: APIClient, person: User, while_hashing: Callable[[Callable[[], object]], None]
    ) -> None:
        """Two sign-ins of an owner's at once, from a new network, after four failures by their other name."""
        for _ in range(5):
            User.objects.reserve_attempt(person.pk, at=timezone.now())
        while_hashing(lambda: User.objects.clear_attempts(person.pk))

        assert attempt(api, person.email, PASSWORD, at=ELSEWHERE).status_code == 200

    def test_nor_do_those_of_an_owner_who_has_come_in_from_there_meanwhile(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether that is seen at once, because their name has room again, or after a hash: then it is waited for."""
        monkeypatch.setattr(time, "sleep", lambda _: User.objects.clear_attempts(person.pk))
        for looked_at in (2, 3):
            for _ in range(5):
                User.objects.reserve_attempt(person.pk, at=timezone.now())
            looks = iter([False] * (looked_at - 1))
            monkeypatch.setattr(
                "authentication.services.sign_in.lockout.is_familiar",
                lambda *_, looks=looks: next(looks, True),
            )

            assert attempt(api, person.email, PASSWORD, at=ELSEWHERE).status_code == 200

    @pytest.mark.parametrize("is_confirmed", [True, False])
    def test_one_that_is_wrong_or_takes_long_costs_a_stranger_no_other_answer_and_no_wait(
        self,
        api: APIClient,
        person: User,
        while_hashing: Callable[[Callable[[], object]], None],
        *,
        is_confirmed: bool,
    ) -> None:
        for _ in range(5):
            User.objects.reserve_attempt(person.pk, at=timezone.now())
        while_hashing(
            lambda: is_confirmed and User.objects.confirm_lock(person.pk, at=timezone.now())
        )

        known, unknown = (attempt(api, name, at=ELSEWHERE) for name in (person.email, NOBODY))

        assert told(known) == told(unknown)

    def test_who_changes_their_password_is_its_owner(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person)
        asked = {"old_password": PASSWORD, "new_password": "Another-Horse-7"}
        headers = bearer(tokens["access"])
        assert (
            api.post(
                f"{API}/password/change/", asked, headers=headers, REMOTE_ADDR=ABROAD
            ).status_code
            == 200
        )

        failures(api, person.username, 5, at=ELSEWHERE)

        assert attempt(api, person.email, at=ABROAD).json()["code"] == "account_locked"

    def test_so_is_who_comes_in_by_a_token_of_their_mail(
        self, api: APIClient, person: User
    ) -> None:
        token = ExchangeTokenService.create(user_id=person.pk)
        asked = {"exchange_token": token}
        assert api.post(f"{API}/exchange-token/", asked, REMOTE_ADDR=ABROAD).status_code == 200

        failures(api, person.username, 5, at=ELSEWHERE)

        assert attempt(api, person.email, at=ABROAD).json()["code"] == "account_locked"

    def test_who_proved_their_address_is_its_owner(self, api: APIClient, db: None) -> None:
        user = _person("unproven")
        token = EmailVerificationToken.objects.issue(user.pk, email=user.email, at=timezone.now())
        api.post(f"{API}/email/verify/", {"token": token})

        failures(api, user.username, 5, at=ELSEWHERE)

        assert attempt(api, user.email).status_code == 403
        assert attempt(api, user.email, at=ELSEWHERE).status_code == 401

    def test_staff_lift_it_for_everybody_each_time(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User
    ) -> None:
        for _ in range(2):
            failures(api, person.email, 5, at=ELSEWHERE)
            failures(api, person.username, 5, at=ABROAD)
            time_machine.shift(1)

            person.unlock_account()

            assert (
                failures(api, person.username, 2, at=ELSEWHERE)
                == [(401, "invalid_credentials")] * 2
            )
            assert failures(api, person.email, 2, at=ABROAD) == [(401, "invalid_credentials")] * 2
            assert attempt(api, person.email, PASSWORD, at="198.51.100.1").status_code == 200

    @pytest.mark.parametrize(
        ("days", "code"), [(29, "account_locked"), (31, "invalid_credentials")]
    )
    def test_a_network_is_forgotten_a_month_after_the_last_sign_in(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, days: int, code: str
    ) -> None:
        for _ in range(2):
            assert attempt(api, person.email, PASSWORD).status_code == 200
            time_machine.shift(dt.timedelta(days=days))
        failures(api, person.username, 5, at=ELSEWHERE)

        assert attempt(api, person.email).json()["code"] == code

    def test_who_has_no_address_is_a_stranger(self, api: APIClient, person: User) -> None:
        attempt(api, person.email, PASSWORD, at="")
        failures(api, person.username, 5, at=ELSEWHERE)

        assert attempt(api, person.email, at="garbage").json()["code"] == "invalid_credentials"

    def test_a_lock_by_the_other_name_costs_no_statement_more(
        self, api: APIClient, person: User
    ) -> None:
        failures(api, person.username, 5, at=ELSEWHERE)
        asked = []
        for name in (person.email, NOBODY):
            with CaptureQueriesContext(connection) as captured:
                failures(api, name, 1, at=ELSEWHERE)
            asked.append([sql.partition(" ")[0] for sql in queries(captured)])

        assert asked[0] == asked[1]

    def test_all_addresses_of_an_ipv6_network_are_one(self, api: APIClient, person: User) -> None:
        attempt(api, person.email, PASSWORD, at=ABROAD)
        failures(api, person.username, 5, at=ELSEWHERE)

        assert attempt(api, person.email, at="2001:db8:1:2:ffff::1").status_code == 403
        assert attempt(api, person.email, at="2001:db8:1:3::3").status_code == 401


class TestNobodyLearnsWhoHasAnAccount:
    @pytest.mark.parametrize("kind", ["proven", "unproven", "disabled", "without a password"])
    def test_every_step_to_the_lock_and_through_it_is_the_same(
        self, time_machine: TimeMachineFixture, api: APIClient, db: None, kind: str
    ) -> None:
        known = _person(kind).email
        steps = [*["attempt"] * 7, "later", "attempt", "over", *["attempt"] * 7]

        for step in steps:
            if step == "attempt":
                assert told(attempt(api, known)) == told(attempt(api, NOBODY))
            else:
                time_machine.shift(dt.timedelta(minutes=29 if step == "later" else 1))

    @pytest.mark.parametrize("kind", ["unproven", "disabled"])
    def test_a_locked_person_is_not_told_the_state_of_their_account(
        self, api: APIClient, db: None, kind: str
    ) -> None:
        user = _person(kind)
        failures(api, user.email, 5)
        failures(api, NOBODY, 5)

        assert told(attempt(api, user.email, PASSWORD)) == told(attempt(api, NOBODY, PASSWORD))

    def test_the_state_of_an_account_is_told_after_the_right_password_and_resets_the_count(
        self, api: APIClient, db: None
    ) -> None:
        user = _person("unproven")
        failures(api, user.email, 4)

        told_state = attempt(api, user.email, PASSWORD)

        assert (told_state.status_code, told_state.json()["code"]) == (403, "email_not_verified")
        assert failures(api, user.email, 4) == [(401, "invalid_credentials")] * 4

    def test_locked_names_cost_no_password_hash(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in (person.email, NOBODY):
            failures(api, name, 5)

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("A password was hashed.")

        monkeypatch.setattr(
            "authentication.services.passwords.hashers.ServiceArgon2Hasher.encode", refuse
        )
        monkeypatch.setattr(
            "authentication.services.passwords.hashers.ServiceArgon2Hasher.verify", refuse
        )

        assert [attempt(api, name).status_code for name in (person.email, NOBODY)] == [403, 403]

    @pytest.mark.parametrize("kind", ["proven", "unproven", "disabled", "without a password"])
    def test_all_are_hashed_for_once_before(
        self, api: APIClient, db: None, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        user, hashed, turn = _person(kind), [], hashers._turn

        def counted() -> Any:
            hashed.append(1)
            return turn()

        monkeypatch.setattr(hashers, "_turn", counted)
        attempt(api, user.email)
        known = len(hashed)
        attempt(api, NOBODY)

        assert (known, len(hashed)) == (1, 2)

    def test_the_cache_is_asked_as_much_for_both(
        self, api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cache = type(caches["limits"])
        asked: list[str] = []

        def noted(method: str) -> Callable[..., Any]:
            original = getattr(cache, method)

            def call(*given: Any, **named: Any) -> Any:
                asked.append(method)
                return original(*given, **named)

            return call

        for method in ("add", "get", "set", "incr", "touch", "delete"):
            monkeypatch.setattr(cache, method, noted(method))
        for _ in range(6):
            sequences: list[list[str]] = []
            for name in (person.email, NOBODY):
                asked.clear()
                attempt(api, name, at=ELSEWHERE)
                sequences.append(asked.copy())
            assert sequences[0] == sequences[1]
            assert sequences[0]

    def test_both_write_as_much(self, api: APIClient, person: User) -> None:
        written = []
        for name in (person.email, NOBODY):
            failures(api, name, 4)
            with CaptureQueriesContext(connection) as captured:
                failures(api, name, 1)
            written.append(
                [sql.split(" (")[0] for sql in queries(captured) if sql.startswith("INSERT")]
            )

        assert written[0] == written[1]


class TestMail:
    def test_the_owner_is_mailed_once_per_lock(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        failures(api, person.email, 9)
        first = [message.to for message in delivered()]
        time_machine.shift(dt.timedelta(minutes=30))
        failures(api, person.email, 9)

        assert first == [[person.email]]
        assert [message.to for message in delivered()] == [[person.email]] * 2
        assert {mail.kind for mail in OutgoingEmail.objects.all()} == {"account_locked"}

    def test_a_lock_by_a_second_name_mails_nobody_again(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        failures(api, person.username, 6)
        failures(api, person.email, 6)

        (mail,) = delivered()
        assert mail.to == [person.email]
        assert mail.subject == "Signing in to your account is blocked for a while"
        locks = AuditLog.objects.filter(event_type="account_locked")
        assert {event.user_id for event in locks} == {person.pk, None}

    def test_nor_does_a_lock_for_strangers_alone(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        failures(api, person.email, 4, at=ELSEWHERE)
        sign_in(api, person)
        failures(api, person.email, 2, at=ELSEWHERE)

        assert delivered() == []
        person.refresh_from_db()
        assert person.locked_until is None
        assert not AuditLog.objects.filter(event_type="account_locked").exists()

    def test_nobody_is_mailed_for_an_unknown_name(
        self, api: APIClient, db: None, delivered: Deliver
    ) -> None:
        failures(api, NOBODY, 9)

        assert delivered() == []

    def test_failures_that_do_not_lock_mail_nobody(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        failures(api, person.email, 4)

        assert delivered() == []


def _person(kind: str) -> User:
    if kind == "unproven":
        return UserFactory(email_verified=False, email_verified_at=None)
    if kind == "disabled":
        return UserFactory(is_active=False)
    user = UserFactory()
    if kind == "without a password":
        user.set_unusable_password()
        user.save()
    return user
