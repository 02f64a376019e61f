"""POST /api/v1/auth/password/reset/."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User
from authentication.tests.clients import NOON, Tokens, log_in, use_access
from authentication.tests.conftest import Deliver, token_in
from authentication.tests.factories import UserFactory
from authentication.utils.crypto import digest

from .passwords import RESET, RESET_REQUESTED, confirm_reset, request_reset

HOST = "evil.example"
MALFORMED: list[object] = [
    *(None, 1, True, [], {}, ["ruth@example.org"], {"$ne": ""}),
    *("", " ", "ruth", "ruth@", "@example.org", "ruth@example", "a@b@example.org"),
    *("ruth @example.org", "ruth\x00@example.org", "ruth\n@example.org"),
    "ruth@example.org\nBcc: x@evil.example",
    f"{'x' * 243}@example.org",
    "x" * 60_000,
    "r\u00fcth@example.org",
    "\u202eruth@example.org",
]
pytestmark = pytest.mark.django_db


def stored_account(user: User) -> dict[str, Any]:
    return dict(User.objects.filter(pk=user.pk).values().get())


class TestMail:
    def test_the_link_sets_a_new_password(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        answer = request_reset(api, person.email)

        [message] = delivered()
        confirmed = confirm_reset(api, token_in(message))
        assert (answer.status_code, answer.json()) == (200, RESET_REQUESTED)
        assert (message.to, message.subject) == ([person.email], "Reset your password")
        assert confirmed.status_code == 200

    @pytest.mark.parametrize(
        "typed",
        ["ruth@example.org", "RUTH@EXAMPLE.ORG", " Ruth@example.org ", "\uff32uth@example.org"],
    )
    def test_the_mail_goes_to_the_stored_address_however_it_was_typed(
        self, api: APIClient, delivered: Deliver, typed: str
    ) -> None:
        UserFactory(email="Ruth@Example.org")

        assert request_reset(api, typed).json() == RESET_REQUESTED

        assert [message.to for message in delivered()] == [["Ruth@Example.org"]]

    @pytest.mark.parametrize("letter", ["\u0131", "\u0130", "\u017f", "\u212a"], ids=ascii)
    def test_a_look_alike_address_never_receives_the_owners_mail(
        self, api: APIClient, delivered: Deliver, letter: str
    ) -> None:
        UserFactory(email="isk@example.org")

        request_reset(api, f"{letter}sk@example.org")
        request_reset(api, f"i{letter}k@example.org")
        request_reset(api, f"is{letter}@example.org")

        assert {to for message in delivered() for to in message.to} <= {"isk@example.org"}

    def test_a_request_changes_nothing_on_the_account(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        before = stored_account(person)

        request_reset(api, person.email)
        delivered()

        assert stored_account(person) == before
        assert use_access(api, signed_in) == 200
        assert log_in(api, person).status_code == 200

    def test_the_request_and_its_mail_do_not_change_the_lock(
        self, api: APIClient, person: User, delivered: Deliver, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        for _ in range(7):
            request_reset(api, person.email)
        assert stored_account(person)["failed_login_attempts"] == 0
        person.lock_account()
        locked = stored_account(person)

        request_reset(api, person.email)
        delivered()

        assert stored_account(person) == locked

    def test_only_the_digest_of_the_token_is_stored(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        request_reset(api, person.email)

        [message] = delivered()
        token = token_in(message)
        row = json.dumps(PasswordResetToken.objects.values().get(), default=str)
        assert len(token) == 43
        assert PasswordResetToken.objects.get().token == digest(token)
        assert token not in row
        assert token not in json.dumps(list(OutgoingEmail.objects.values()), default=str)
        assert token not in json.dumps(list(AuditLog.objects.values()), default=str)

    def test_one_address_gets_three_mails_an_hour_and_the_answer_stays_the_same(
        self,
        api: APIClient,
        person: User,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
        settings: Settings,
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        time_machine.move_to(NOON, tick=False)
        answers = [
            request_reset(api, person.email, REMOTE_ADDR=f"203.0.113.{n}").json() for n in range(10)
        ]
        mails = len(delivered())
        time_machine.shift(3601)

        request_reset(api, person.email)

        assert answers == [RESET_REQUESTED] * 10
        assert mails == 3
        assert len(delivered()) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": HOST},
        {"Host": f"{HOST}:443"},
        {"X-Forwarded-Host": HOST},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "666", "X-Forwarded-Host": HOST},
        {"Forwarded": f"host={HOST};proto=https"},
        {"X-Original-Host": HOST, "X-Host": HOST, "X-Forwarded-Server": HOST},
        {"Origin": f"https://{HOST}", "Sec-Fetch-Site": "none"},
        {"Referer": f"https://{HOST}/page"},
    ],
    ids="+".join,
)
def test_no_request_header_gets_into_the_mail(
    api: APIClient, person: User, delivered: Deliver, settings: Settings, headers: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.USE_X_FORWARDED_HOST = False

    answer = request_reset(api, person.email, headers=headers)

    [message] = delivered()
    [link] = re.findall(r"https?://\S+token=\S+", str(message.body))
    assert answer.status_code == 200
    assert urlsplit(link)[:3] == ("http", "localhost:8002", "/account/reset-password/")
    assert HOST not in message.message().as_string()
    assert "666" not in link


def test_the_link_follows_the_setting(
    api: APIClient, person: User, delivered: Deliver, settings: Settings
) -> None:
    settings.PASSWORD_RESET_URL = "https://app.example.org/reset-password?token={token}"

    request_reset(api, person.email)

    [message] = delivered()
    assert re.search(
        r"https://app\.example\.org/reset-password\?token=[\w-]{43}\s", str(message.body)
    )


class TestMalformed:
    def test_a_malformed_address_is_refused(self, api: APIClient, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False
        failures = {}

        for email in MALFORMED:
            answer = request_reset(api, email)
            refusal = answer.json()
            found = (answer.status_code, refusal.get("code"), refusal.get("errors", {}).keys())
            if found != (400, "validation_error", {"email"}):
                failures[ascii(email)[:24]] = refusal

        assert failures == {}
        assert not OutgoingEmail.objects.exists()
        assert not AuditLog.objects.exists()

    def test_the_address_is_required(self, api: APIClient, db: None) -> None:
        answer = api.post(RESET, {"username": "ruth"})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"email": ["This field is required."]}


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Basic dXNlcjpwYXNz"])
def test_an_invalid_authorization_header_is_ignored(
    api: APIClient, person: User, header: str
) -> None:
    answer = request_reset(api, person.email, headers={"Authorization": header})

    assert (answer.status_code, answer.json()) == (200, RESET_REQUESTED)
    assert OutgoingEmail.objects.count() == 1
