"""/api/v1/auth/account/export/: a person's copy of everything held about them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    EmailVerificationToken,
    PasswordHistory,
    PasswordResetToken,
    User,
)
from authentication.services import ExportService
from authentication.services.accounts.personal_data import _TABLES
from authentication.tests.answers import LINK_INVALID, TOKEN_INVALID, refusal_of
from authentication.tests.clients import NOON, Tokens, sign_in
from authentication.tests.conftest import API, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL, DOWNLOAD, PAGE = (
    f"{API}/account/export/",
    f"{API}/account/export/download/",
    "/account/download-export/",
)

# Columns that hold what lets somebody in, hashed or not.
SECRET = re.compile(r"password_hash|token$|binding|session_key|jti$")

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def ask(api: APIClient, tokens: Tokens) -> Any:
    return api.post(URL, headers=bearer(tokens["access"]))


def state(api: APIClient, tokens: Tokens) -> str:
    return str(api.get(URL, headers=bearer(tokens["access"])).json()["state"])


def fetch(api: APIClient, tokens: Tokens, token: str) -> Any:
    return api.post(DOWNLOAD, {"token": token}, headers=bearer(tokens["access"]))


@pytest.fixture
def link(api: APIClient, person: User, signed_in: Tokens, delivered: Deliver) -> str:
    """Return the token of the mail that tells a person that their copy is ready."""
    assert ask(api, signed_in).status_code == 202
    ExportService.build(AccountExport.objects.get().pk)
    return token_in(next(mail for mail in delivered() if "copy of your data" in mail.subject))


class TestAsking:
    def test_it_is_made_by_a_task_and_its_owner_mailed(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        delivered: Deliver,
        settings: Settings,
    ) -> None:
        before = state(api, signed_in)
        answer = ask(api, signed_in)
        preparing = state(api, signed_in)
        ExportService.build(AccountExport.objects.get().pk)

        (mail,) = delivered()
        assert (before, preparing, state(api, signed_in)) == ("none", "preparing", "ready")
        assert (answer.status_code, answer.json()) == (
            202,
            {"state": "preparing", "requested_at": "2026-11-22T12:00:00Z", "available_until": None},
        )
        assert mail.to == [person.email]
        assert f"{settings.BACKEND_URL}{PAGE}?token=" in str(mail.body)

    def test_a_stolen_access_token_is_not_enough(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(11 * 60)

        answer = ask(api, signed_in)

        assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required")
        assert not AccountExport.objects.exists()

    def test_a_stranger_gets_none(self, api: APIClient) -> None:
        assert [refusal_of(it) for it in (api.get(URL), api.post(URL), api.post(DOWNLOAD))] == [
            TOKEN_INVALID
        ] * 3

    def test_a_newer_one_voids_the_older(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        ask(api, signed_in)

        assert refusal_of(fetch(api, signed_in, link)) == LINK_INVALID
        assert AccountExport.objects.count() == 1

    def test_a_task_that_runs_twice_makes_one_and_mails_once(
        self, api: APIClient, signed_in: Tokens, delivered: Deliver
    ) -> None:
        ask(api, signed_in)
        for _ in range(2):
            ExportService.build(AccountExport.objects.get().pk)

        assert len(delivered()) == 1

    def test_a_lost_task_is_found_again(
        self, api: APIClient, signed_in: Tokens, django_capture_on_commit_callbacks: Any
    ) -> None:
        ask(api, signed_in)

        with django_capture_on_commit_callbacks() as found:
            ExportService.sweep()

        assert len(found) == 1


class TestFetching:
    def test_it_holds_what_is_held_about_the_person_and_nobody_else(
        self, api: APIClient, person: User, signed_in: Tokens, link: str
    ) -> None:
        other = UserFactory(email="somebody@example.org")
        sign_in(api, other)

        answer = fetch(api, signed_in, link)

        held = answer.json()
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == 'attachment; filename="account-2026-11-22.json"'
        assert answer["Cache-Control"] == "no-store"
        assert held.keys() == {"made_at", "account", "profile", *_TABLES}
        assert held["account"]["email"] == person.email
        assert held["profile"] == {"display_name": "", "timezone": "UTC", "visibility": "private"}
        assert [it["event_type"] for it in held["events"]].count("login") == 1
        assert held["sessions"][0]["ip_address"] == "127.0.0.1"
        assert "somebody" not in answer.content.decode()

    @pytest.fixture
    def links_and_passwords(self, person: User) -> None:
        PasswordResetToken.objects.issue(person, at=timezone.now())
        EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())
        PasswordHistory.add(person.pk, person.password, "the hash of another")

    def test_no_secret_is_in_it(
        self, api: APIClient, person: User, signed_in: Tokens, links_and_passwords: None, link: str
    ) -> None:
        rows = [row for table, _ in _TABLES.values() for row in table.objects.filter(user=person)]
        stored = [
            str(getattr(row, it.name))
            for row in rows
            for it in row._meta.fields
            if SECRET.search(it.name)
        ]
        assert len(stored) >= 8

        text = fetch(api, signed_in, link).content.decode()

        for secret in (person.password, link, signed_in["access"], *filter(None, stored)):
            assert secret not in text

    def test_every_table_that_holds_something_of_a_person_is_in_it(self) -> None:
        # Of these a person gets the counts by other names, or they are secrets and nothing else.
        left_out = {
            "UserProfile",  # as "profile"
            "AccountExport",  # the copy itself
            "TokenBlacklist",  # identifiers of tokens, which the sessions tell of
            "SecondFactor",  # as second_factor_at of the account
            "RecoveryCode",  # as above
            "SignInChallenge",  # minutes long
            "LogEntry",  # what staff did at the desk
        }
        holding = {
            it
            for it in apps.get_models()
            if any(field.related_model is User for field in it._meta.fields)
        }

        covered = {table for table, _ in _TABLES.values()}

        assert {it.__name__ for it in holding} - {it.__name__ for it in covered} == left_out

    def test_it_can_be_fetched_once(self, api: APIClient, signed_in: Tokens, link: str) -> None:
        first, second = fetch(api, signed_in, link), fetch(api, signed_in, link)

        assert first.status_code == 200
        assert refusal_of(second) == LINK_INVALID
        assert AccountExport.objects.get().content == ""
        assert state(api, signed_in) == "downloaded"

    def test_another_person_cannot_fetch_it(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        thief = sign_in(api, UserFactory())

        assert refusal_of(fetch(api, thief, link)) == LINK_INVALID
        assert fetch(api, signed_in, link).status_code == 200

    def test_after_a_day_it_is_gone(
        self, api: APIClient, person: User, link: str, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(24 * 3600 + 1)
        tokens = sign_in(api, person)

        assert refusal_of(fetch(api, tokens, link)) == LINK_INVALID
        assert state(api, tokens) == "none"

    def test_the_table_holds_it_encrypted(self, person: User, link: str) -> None:
        content = AccountExport.objects.get().content

        assert content
        assert person.email not in content
        assert not ActionToken.objects.filter(token=link).exists()

    def test_one_persons_copy_in_anothers_row_cannot_be_read(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        other = AccountExport.objects.create(user=UserFactory())
        ExportService.build(other.pk)
        other.refresh_from_db()
        AccountExport.objects.exclude(pk=other.pk).update(content=other.content)

        assert refusal_of(fetch(api, signed_in, link)) == LINK_INVALID

    def test_both_ends_are_audited(
        self, api: APIClient, person: User, signed_in: Tokens, link: str
    ) -> None:
        fetch(api, signed_in, link)

        for event in ("export_requested", "export_downloaded"):
            assert AuditLog.objects.get(event_type=event).user == person


class TestThePage:
    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_opening_it_spends_nothing(
        self, api: APIClient, signed_in: Tokens, link: str, method: str
    ) -> None:
        assert getattr(Client(), method)(PAGE, {"token": link}).status_code == 200
        assert fetch(api, signed_in, link).status_code == 200

    def test_the_password_fetches_it(self, person: User, link: str) -> None:
        answer = Client().post(PAGE, {"token": link, "password": PASSWORD})

        assert answer.status_code == 200
        assert json.loads(answer.content)["account"]["email"] == person.email
        assert "attachment" in answer["Content-Disposition"]

    def test_a_wrong_one_does_not_and_counts(self, person: User, link: str) -> None:
        answers = [
            Client().post(PAGE, {"token": link, "password": "Wrong-Horse-9"}) for _ in range(6)
        ]

        person.refresh_from_db()
        assert [it.status_code for it in answers] == [400] * 5 + [403]
        assert person.is_account_locked()
        assert AccountExport.objects.get().content

    @pytest.mark.parametrize("token", ["", "x" * 43])
    def test_without_the_mail_no_password_is_tried(
        self, person: User, link: str, token: str
    ) -> None:
        assert Client().post(PAGE, {"token": token, "password": PASSWORD}).status_code == 400
        person.refresh_from_db()
        assert person.failed_login_attempts == 0
