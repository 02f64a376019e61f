"""Wrong passwords and codes in a session are counted for that session first."""

import datetime as dt

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User, UserSession
from authentication.tests.answers import assert_problem, problem_code
from authentication.tests.clients import NOON, WRONG_PASSWORD, Tokens, log_in, refreshed, sign_in
from authentication.tests.conftest import Deliver
from authentication.tests.factories import PASSWORD, Factor, give_factor

from .lockout import attempt, fail
from .passwords import change_password
from .reauthentication import reauthenticate
from .second_factor import wrong_code

HOUR = dt.timedelta(hours=1)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture
def stolen(api: APIClient, person: User) -> Tokens:
    """Return the tokens of a second session, which a thief has."""
    return sign_in(api, person)


@pytest.fixture
def factor(person: User, signed_in: Tokens, stolen: Tokens) -> Factor:
    """Set up a second factor after both sign-ins."""
    return give_factor(person)


class TestPasswords:
    def test_a_thiefs_wrong_passwords_do_not_keep_the_owner_from_proving(
        self, api: APIClient, person: User, signed_in: Tokens, stolen: Tokens
    ) -> None:
        tries = [reauthenticate(api, stolen, password=WRONG_PASSWORD) for _ in range(10)]

        assert [it.status_code for it in tries] == [400] * 5 + [403] * 5
        assert 3500 < int(tries[-1]["Retry-After"]) <= 3600
        assert tries[-1].json()["detail"].startswith("Too many wrong attempts on this device.")
        assert reauthenticate(api, signed_in, password=PASSWORD).status_code == 200
        assert change_password(api, signed_in).status_code == 200

    def test_the_owner_of_the_same_session_signs_in_again_on_the_same_device(
        self, api: APIClient, person: User, stolen: Tokens
    ) -> None:
        for _ in range(10):
            reauthenticate(api, stolen, password=WRONG_PASSWORD)

        answer = attempt(api, person.email, PASSWORD, device=str(stolen["device_id"]))

        assert answer.status_code == 200
        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)

    def test_a_locked_session_refuses_the_right_password_for_an_hour(
        self, api: APIClient, stolen: Tokens, settings: Settings, time_machine: TimeMachineFixture
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        for _ in range(5):
            reauthenticate(api, stolen, password=WRONG_PASSWORD)
        time_machine.shift(HOUR - dt.timedelta(seconds=1))
        tokens = refreshed(api, stolen["refresh"])
        locked = reauthenticate(api, tokens, password=PASSWORD)
        time_machine.shift(1)

        assert_problem(locked, 403, "account_locked")
        assert reauthenticate(api, tokens, password=PASSWORD).status_code == 200

    def test_all_endpoints_that_take_a_password_count_together(
        self, api: APIClient, stolen: Tokens
    ) -> None:
        for _ in range(3):
            reauthenticate(api, stolen, password=WRONG_PASSWORD)
        for _ in range(2):
            change_password(api, stolen, old_password=WRONG_PASSWORD)

        assert_problem(change_password(api, stolen), 403, "account_locked")

    def test_many_stolen_sessions_share_twenty_wrong_passwords_an_hour(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        settings: Settings,
        time_machine: TimeMachineFixture,
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        sessions = [sign_in(api, person) for _ in range(6)]
        statuses = [
            reauthenticate(api, tokens, password=WRONG_PASSWORD).status_code
            for tokens in sessions
            for _ in range(4)
        ]

        refused = reauthenticate(api, signed_in, password=PASSWORD)
        device = str(signed_in["device_id"])
        again = attempt(api, person.email, PASSWORD, device=device)
        time_machine.shift(HOUR)

        assert statuses == [400] * 20 + [403] * 4
        assert_problem(refused, 403, "account_locked")
        assert again.status_code == 200
        tokens = refreshed(api, signed_in["refresh"])
        assert reauthenticate(api, tokens, password=PASSWORD).status_code == 200

    def test_strangers_who_lock_the_account_do_not_lock_a_session(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        fail(api, person.email, 5)

        assert reauthenticate(api, signed_in, password=PASSWORD).status_code == 200

    def test_the_owner_is_mailed_once_and_the_event_names_the_session(
        self, api: APIClient, person: User, stolen: Tokens, delivered: Deliver
    ) -> None:
        for _ in range(8):
            reauthenticate(api, stolen, password=WRONG_PASSWORD)

        (mail,) = delivered()
        event = AuditLog.objects.get(event_type="account_locked")
        session = UserSession.objects.get()
        assert mail.subject == "A device could not confirm that it is you"
        assert "sign in again at any time" in str(mail.body)
        assert (event.user, event.metadata["session"]) == (person, str(session.pk))


class TestCodes:
    def test_a_thiefs_wrong_codes_do_not_keep_the_owner_from_proving(
        self, api: APIClient, person: User, signed_in: Tokens, stolen: Tokens, factor: Factor
    ) -> None:
        tries = [reauthenticate(api, stolen, otp=wrong_code(factor)) for _ in range(10)]

        assert [it.status_code for it in tries] == [400] * 5 + [403] * 5
        assert reauthenticate(api, signed_in, otp=factor.code()).status_code == 200

    def test_the_owner_signs_in_with_a_code_meanwhile(
        self, api: APIClient, person: User, stolen: Tokens, factor: Factor
    ) -> None:
        for _ in range(10):
            reauthenticate(api, stolen, otp=wrong_code(factor))

        assert log_in(api, person, otp=factor.code()).status_code == 200

    @pytest.mark.slow
    def test_one_session_does_not_spend_the_codes_of_an_account_in_any_hour(
        self,
        api: APIClient,
        person: User,
        stolen: Tokens,
        factor: Factor,
        settings: Settings,
        time_machine: TimeMachineFixture,
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        statuses, tokens = [], stolen
        for _ in range(30):
            statuses += [
                reauthenticate(api, tokens, otp=wrong_code(factor)).status_code for _ in range(2)
            ]
            assert log_in(api, person, otp=factor.code()).status_code == 200
            time_machine.shift(dt.timedelta(minutes=7))
            tokens = refreshed(api, tokens["refresh"])

        assert set(statuses) == {400, 403}

    def test_a_right_password_does_not_reset_the_wrong_codes(
        self, api: APIClient, stolen: Tokens, factor: Factor
    ) -> None:
        statuses = [
            reauthenticate(api, stolen, password=PASSWORD, otp=wrong_code(factor)).status_code
            for _ in range(6)
        ]

        assert statuses == [400] * 5 + [403]

    def test_the_account_bounds_the_codes_of_many_sessions(
        self, api: APIClient, person: User, signed_in: Tokens, stolen: Tokens, factor: Factor
    ) -> None:
        for tokens in (signed_in, stolen):
            for _ in range(5):
                reauthenticate(api, tokens, otp=wrong_code(factor))

        assert problem_code(log_in(api, person, otp=factor.code())) == "rate_limited"

    def test_a_complete_proof_resets_the_count(
        self, api: APIClient, stolen: Tokens, factor: Factor
    ) -> None:
        for _ in range(4):
            reauthenticate(api, stolen, otp=wrong_code(factor))
        assert reauthenticate(api, stolen, otp=factor.code()).status_code == 200

        (row,) = UserSession.objects.filter(is_verified=True)
        assert (row.failed_login_attempts, row.locked_until) == (0, None)


def test_an_old_process_inserts_a_session_without_the_count(person: User, stolen: Tokens) -> None:
    with connection.cursor() as cursor:
        columns = [
            column.name
            for column in connection.introspection.get_table_description(
                cursor, UserSession._meta.db_table
            )
            if column.name not in {"failed_login_attempts", "locked_until"}
        ]
        row = UserSession.objects.values(*columns).get()
        row |= {"id": row["id"].hex[::-1], "refresh_token_jti": "another"}
        names, marks = ", ".join(columns), ", ".join(["%s"] * len(columns))
        cursor.execute(
            f"INSERT INTO {UserSession._meta.db_table} ({names}) VALUES ({marks})",  # noqa: S608
            [value.hex if hasattr(value, "hex") else value for value in row.values()],
        )

    assert set(UserSession.objects.values_list("failed_login_attempts", flat=True)) == {0}
