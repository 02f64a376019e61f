"""The lock and the limit that the admin shares with the API."""

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.exceptions import AccountLocked, InvalidCredentials
from authentication.models import AuditLog, OutgoingEmail, User
from authentication.tests.clients import LOGIN, NOON, WRONG_PASSWORD
from authentication.tests.conftest import Deliver
from authentication.tests.limits import set_limits
from vineyard_group_fellowship.settings.base import caches

from .staff import (
    ADMIN_LOGIN,
    admin_login,
    api_login_status,
    assert_login_refused,
    error_note,
    fail_admin_logins,
)

pytestmark = pytest.mark.django_db


class TestSharedLock:
    def test_five_failures_in_the_admin_lock_the_api(
        self, client: Client, api: APIClient, superuser: User, delivered: Deliver
    ) -> None:
        for _ in range(5):
            note = error_note(admin_login(client, superuser.email, WRONG_PASSWORD))
            assert note == str(InvalidCredentials.detail)

        assert api_login_status(api, superuser) == 403
        assert_login_refused(admin_login(client, superuser.email), AccountLocked.detail)
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1
        assert [mail.subject for mail in delivered()] == [
            "Signing in to your account is blocked for a while"
        ]

    def test_five_failures_at_the_api_lock_the_admin(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        for _ in range(5):
            api_login_status(api, superuser, WRONG_PASSWORD)

        assert_login_refused(admin_login(client, superuser.email), AccountLocked.detail)

    def test_failures_in_both_are_counted_together(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        for _ in range(2):
            api_login_status(api, superuser, WRONG_PASSWORD)
        fail_admin_logins(client, superuser.email, 3)

        assert api_login_status(api, superuser) == 403
        assert OutgoingEmail.objects.filter(kind="account_locked").count() == 1

    def test_an_unknown_name_is_locked_too(self, client: Client, db: None) -> None:
        fail_admin_logins(client, "nobody@example.org", 5)

        assert_login_refused(admin_login(client, "nobody@example.org"), AccountLocked.detail)

    def test_a_sign_in_resets_the_failure_count(self, client: Client, superuser: User) -> None:
        fail_admin_logins(client, superuser.email, 4)

        assert admin_login(client, superuser.email).status_code == 302

        superuser.refresh_from_db()
        assert (superuser.failed_login_attempts, superuser.locked_until) == (0, None)

    def test_the_lock_ends_after_half_an_hour(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture, settings: Settings
    ) -> None:
        # Redis would count by its own clock.
        settings.CACHES = caches("")
        time_machine.move_to(NOON, tick=False)
        fail_admin_logins(client, superuser.email, 5)

        time_machine.shift(dt.timedelta(minutes=29, seconds=59))
        assert_login_refused(admin_login(client, superuser.email), AccountLocked.detail)
        time_machine.shift(2)

        assert admin_login(client, superuser.email).status_code == 302


class TestSharedLimit:
    def test_the_admin_and_the_api_share_the_limit_of_an_address(
        self, client: Client, api: APIClient, superuser: User, settings: Settings
    ) -> None:
        set_limits(settings, login="3/h")
        api_login_status(api, superuser, WRONG_PASSWORD)
        admin_login(client, "nobody@example.org", WRONG_PASSWORD)
        api.post(LOGIN, {})

        answer = admin_login(client, superuser.email)

        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 3600
        assert "Too many requests" in answer.content.decode()
        assert "permission" not in answer.content.decode()
        assert not Session.objects.exists()
        assert api_login_status(api, superuser) == 429
        assert admin_login(client, superuser.email, REMOTE_ADDR="203.0.113.9").status_code == 302

    def test_no_client_header_evades_the_limit(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        set_limits(settings, login="1/h")
        names = (
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "CF-Connecting-IP",
            "True-Client-IP",
        )

        answers = [
            admin_login(client, "x", WRONG_PASSWORD, headers={name: f"203.0.113.{n}"})
            for n, name in enumerate(names)
        ]

        assert [answer.status_code for answer in answers] == [200, *[429] * 5]

    def test_opening_the_form_is_not_counted(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        set_limits(settings, login="1/h")

        assert [client.get(ADMIN_LOGIN).status_code for _ in range(3)] == [200] * 3

        assert admin_login(client, superuser.email).status_code == 302
