"""/api/v1/auth/account/export/: a copy of everything stored about a user."""

import json
import re
import uuid
from typing import Any

import pytest
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
    ExportPart,
    PasswordHistory,
    PasswordResetToken,
    User,
    UserProfile,
)
from authentication.services import ExportService
from authentication.services.accounts.personal_data import _TABLES
from authentication.tests.answers import LINK_INVALID, TOKEN_INVALID, assert_problem, refusal_of
from authentication.tests.clients import (
    NOON,
    WRONG_PASSWORD,
    Tokens,
    content_of,
    get_as,
    post_as,
    sign_in,
)
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/account/export/"
DOWNLOAD = f"{URL}download/"
PAGE = "/account/download-export/"

# Columns with credentials, hashed or not.
SECRET = re.compile(r"password_hash|token$|binding|session_key|jti$")

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def state(api: APIClient, tokens: Tokens) -> str:
    return str(get_as(api, tokens, URL).json()["state"])


def download(api: APIClient, tokens: Tokens, token: str) -> Any:
    return post_as(api, tokens, DOWNLOAD, {"token": token})


@pytest.fixture
def link(api: APIClient, person: User, signed_in: Tokens, delivered: Deliver) -> str:
    """Return the token of the mail with the link to the copy."""
    assert post_as(api, signed_in, URL).status_code == 202
    ExportService.build(AccountExport.objects.get().pk)
    return token_in(next(mail for mail in delivered() if "copy of your data" in mail.subject))


class TestRequest:
    def test_a_task_makes_the_copy_and_mails_its_link_to_the_user(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        delivered: Deliver,
        settings: Settings,
    ) -> None:
        before = state(api, signed_in)
        answer = post_as(api, signed_in, URL)
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

    def test_the_request_needs_a_recent_proof(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(11 * 60)

        answer = post_as(api, signed_in, URL)

        assert_problem(answer, 403, "reauthentication_required")
        assert not AccountExport.objects.exists()

    def test_a_request_without_an_access_token_is_refused(self, api: APIClient) -> None:
        answers = [api.get(URL), api.post(URL), api.post(DOWNLOAD)]

        assert [refusal_of(answer) for answer in answers] == [TOKEN_INVALID] * 3

    def test_a_newer_copy_voids_the_older_one(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        post_as(api, signed_in, URL)

        assert refusal_of(download(api, signed_in, link)) == LINK_INVALID
        assert AccountExport.objects.count() == 1

    def test_a_task_that_runs_twice_sends_one_mail(
        self, api: APIClient, signed_in: Tokens, delivered: Deliver
    ) -> None:
        post_as(api, signed_in, URL)
        for _ in range(2):
            ExportService.build(AccountExport.objects.get().pk)

        assert len(delivered()) == 1

    def test_a_copy_of_a_lost_task_is_queued_again(
        self, api: APIClient, signed_in: Tokens, django_capture_on_commit_callbacks: Any
    ) -> None:
        post_as(api, signed_in, URL)

        with django_capture_on_commit_callbacks() as found:
            ExportService.sweep()

        assert len(found) == 1


@pytest.fixture
def _stranger(api: APIClient) -> None:
    """Let another person have signed in before; their rows come first in the order of the keys."""
    other = UserFactory(pk=uuid.UUID(int=1), email="stranger@example.org")
    UserProfile.objects.filter(user=other).update(display_name="A stranger")
    sign_in(api, other, device_name="The stranger's phone")


class TestDownload:
    # Before the copy is made, or nothing of the stranger could be in it.
    @pytest.mark.usefixtures("_stranger")
    def test_the_copy_holds_the_users_own_data_and_no_other_users(
        self, api: APIClient, person: User, signed_in: Tokens, link: str
    ) -> None:
        answer = download(api, signed_in, link)

        copy = json.loads(content_of(answer))
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == 'attachment; filename="account-2026-11-22.json"'
        assert answer["Cache-Control"] == "no-store"
        assert copy.keys() == {"made_at", "account", "profile", *_TABLES}
        assert copy["account"]["email"] == person.email
        assert copy["profile"] == {"display_name": "", "timezone": "UTC", "visibility": "private"}
        assert [it["event_type"] for it in copy["events"]].count("login") == 1
        assert copy["sessions"][0]["ip_address"] == "127.0.0.1"
        assert "stranger" not in json.dumps(copy)

    @pytest.fixture
    def links_and_passwords(self, person: User) -> None:
        PasswordResetToken.objects.issue(person, at=timezone.now())
        EmailVerificationToken.objects.issue(person.pk, email=person.email, at=timezone.now())
        PasswordHistory.add(person.pk, person.password, "the hash of another", at=timezone.now())

    def test_the_copy_holds_no_secret(
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

        text = content_of(download(api, signed_in, link)).decode()

        secrets = (person.password, link, signed_in["access"], *filter(None, stored))
        assert not [secret for secret in secrets if secret in text]

    def test_the_copy_can_be_downloaded_once(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        first, second = download(api, signed_in, link), download(api, signed_in, link)

        assert first.status_code == 200
        content_of(first)
        assert refusal_of(second) == LINK_INVALID
        assert not ExportPart.objects.exists()
        assert state(api, signed_in) == "downloaded"

    def test_another_user_cannot_download_the_copy(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        other = sign_in(api, UserFactory())

        assert refusal_of(download(api, other, link)) == LINK_INVALID
        assert download(api, signed_in, link).status_code == 200

    def test_the_copy_is_gone_after_a_day(
        self, api: APIClient, person: User, link: str, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(24 * 3600 + 1)
        tokens = sign_in(api, person)

        assert refusal_of(download(api, tokens, link)) == LINK_INVALID
        assert state(api, tokens) == "none"

    def test_the_copy_is_stored_encrypted(self, person: User, link: str) -> None:
        content = ExportPart.objects.get().content

        assert content
        assert person.email not in content
        assert not ActionToken.objects.filter(token=link).exists()

    def test_the_ciphertext_of_one_user_cannot_be_read_in_another_users_row(
        self, api: APIClient, signed_in: Tokens, link: str
    ) -> None:
        other = AccountExport.objects.create(user=UserFactory())
        ExportService.build(other.pk)
        foreign = ExportPart.objects.get(export=other)
        ExportPart.objects.exclude(pk=foreign.pk).update(content=foreign.content)

        assert refusal_of(download(api, signed_in, link)) == LINK_INVALID

    def test_the_request_and_the_download_are_audited(
        self, api: APIClient, person: User, signed_in: Tokens, link: str
    ) -> None:
        download(api, signed_in, link)

        events = [
            AuditLog.objects.get(event_type=event)
            for event in ("export_requested", "export_downloaded")
        ]
        assert [event.user for event in events] == [person, person]


class TestPage:
    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_opening_the_page_does_not_spend_the_link(
        self, api: APIClient, signed_in: Tokens, link: str, method: str
    ) -> None:
        assert getattr(Client(), method)(PAGE, {"token": link}).status_code == 200
        assert download(api, signed_in, link).status_code == 200

    def test_the_right_password_downloads_the_copy(self, person: User, link: str) -> None:
        answer = Client().post(PAGE, {"token": link, "password": PASSWORD})

        assert answer.status_code == 200
        assert json.loads(content_of(answer))["account"]["email"] == person.email
        assert "attachment" in answer["Content-Disposition"]

    def test_a_wrong_password_counts_as_a_failure(self, person: User, link: str) -> None:
        answers = [
            Client().post(PAGE, {"token": link, "password": WRONG_PASSWORD}) for _ in range(6)
        ]

        person.refresh_from_db()
        assert [it.status_code for it in answers] == [400] * 5 + [403]
        assert person.is_account_locked()
        assert ExportPart.objects.exists()

    @pytest.mark.parametrize("token", ["", "x" * 43])
    def test_a_password_without_the_mailed_token_is_not_compared(
        self, person: User, link: str, token: str
    ) -> None:
        assert Client().post(PAGE, {"token": token, "password": PASSWORD}).status_code == 400
        person.refresh_from_db()
        assert person.failed_login_attempts == 0
