"""POST /api/v1/auth/password/reset/."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.mail import EmailMessage
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User
from authentication.services.background import queue as background
from authentication.tests.answers import cookie_of
from authentication.tests.clients import NOON, Tokens, use_access
from authentication.tests.conftest import API, BROWSER, CHROME, queries, token_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.utils.crypto import digest

URL = f"{API}/password/reset/"
CONFIRM = f"{API}/password/reset/confirm/"
SENT = {"message": "Password reset email sent if account exists"}
EVIL = "evil.example"

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


def ask(api: APIClient, email: object, **extra: Any) -> Any:
    return api.post(URL, {"email": email}, **extra)


def told(answer: Any) -> dict[str, Any]:
    """Return all a client is told, but for the name of its request and what the clock decides."""
    clocked = {"X-Correlation-ID", "X-Response-Time", "Server-Timing", "RateLimit"}
    return {
        "status": answer.status_code,
        "body": answer.content,
        "headers": {name: value for name, value in answer.headers.items() if name not in clocked},
        "left": answer["RateLimit"].partition(";t=")[0],
        "cookies": answer.cookies.output(),
    }


def account(user: User) -> dict[str, Any]:
    return dict(User.objects.filter(pk=user.pk).values().get())


class TestTheMail:
    def test_its_link_sets_a_new_password(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        answer = ask(api, person.email)

        [message] = delivered()
        confirmed = api.post(
            CONFIRM, {"token": token_in(message), "new_password": "Another-Horse-7"}
        )
        assert (answer.status_code, answer.json()) == (200, SENT)
        assert (message.to, message.subject) == ([person.email], "Reset your password")
        assert confirmed.status_code == 200

    @pytest.mark.parametrize(
        "typed",
        ["ruth@example.org", "RUTH@EXAMPLE.ORG", " Ruth@example.org ", "\uff32uth@example.org"],
    )
    def test_it_goes_to_the_accounts_own_address_however_it_was_typed(
        self, api: APIClient, delivered: Deliver, typed: str
    ) -> None:
        UserFactory(email="Ruth@Example.org")

        assert ask(api, typed).json() == SENT

        assert [message.to for message in delivered()] == [["Ruth@Example.org"]]

    @pytest.mark.parametrize("letter", ["\u0131", "\u0130", "\u017f", "\u212a"], ids=ascii)
    def test_no_look_alike_of_an_address_gets_the_owners_mail_anywhere_else(
        self, api: APIClient, delivered: Deliver, letter: str
    ) -> None:
        UserFactory(email="isk@example.org")

        ask(api, f"{letter}sk@example.org")
        ask(api, f"i{letter}k@example.org")
        ask(api, f"is{letter}@example.org")

        assert {to for message in delivered() for to in message.to} <= {"isk@example.org"}

    def test_one_for_somebody_signed_in_changes_nothing_on_the_account(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        before = account(person)

        ask(api, person.email)
        delivered()

        assert account(person) == before
        assert use_access(api, signed_in) == 200
        assert (
            api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}).status_code
            == 200
        )

    def test_neither_the_request_nor_its_mail_lifts_a_lock_or_locks(
        self, api: APIClient, person: User, delivered: Deliver, settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        for _ in range(7):
            ask(api, person.email)
        assert account(person)["failed_login_attempts"] == 0
        person.lock_account()
        locked = account(person)

        ask(api, person.email)
        delivered()

        assert account(person) == locked

    def test_only_the_tokens_digest_is_stored(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        ask(api, person.email)

        [message] = delivered()
        token = token_in(message)
        row = json.dumps(PasswordResetToken.objects.values().get(), default=str)
        assert len(token) == 43
        assert PasswordResetToken.objects.get().token == digest(token)
        assert token not in row
        assert token not in json.dumps(list(OutgoingEmail.objects.values()), default=str)
        assert token not in json.dumps(list(AuditLog.objects.values()), default=str)

    def test_three_an_hour_go_to_one_address_and_nobody_is_told(
        self,
        api: APIClient,
        person: User,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
        settings: Settings,
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        time_machine.move_to(NOON, tick=False)
        told_each = [ask(api, person.email, REMOTE_ADDR=f"203.0.113.{n}").json() for n in range(10)]
        mails = len(delivered())
        time_machine.shift(3601)

        ask(api, person.email)

        assert told_each == [SENT] * 10
        assert mails == 3
        assert len(delivered()) == 4


class TestNobodyLearnsWhoHasAnAccount:
    @pytest.fixture(
        params=[
            {},
            {"is_active": False},
            {"email_verified": False, "email_verified_at": None},
            {"is_superuser": True},
        ],
        ids=["proven", "disabled", "unproven", "superuser"],
    )
    def known(self, request: pytest.FixtureRequest, db: None) -> User:
        return UserFactory(email="ruth@example.org", **request.param)

    @pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
    def test_every_account_and_no_account_get_the_same_answer(
        self, api: APIClient, known: User, headers: dict[str, str]
    ) -> None:
        for_known = ask(api, known.email, headers=headers, REMOTE_ADDR="203.0.113.1")
        for_unknown = ask(api, "nobody@example.org", headers=headers, REMOTE_ADDR="203.0.113.2")

        assert told(for_known) == told(for_unknown)
        assert (for_known.status_code, for_known.json()) == (200, SENT)
        assert cookie_of(for_known) is None

    def test_the_same_work_is_done_for_both(self, api: APIClient, known: User) -> None:
        with CaptureQueriesContext(connection) as for_known:
            ask(api, known.email)
        with CaptureQueriesContext(connection) as for_unknown:
            ask(api, "nobody@example.org")

        shapes = [
            [re.sub(r"VALUES.*", "", sql)[:80] for sql in queries(it)]
            for it in (for_known, for_unknown)
        ]
        assert shapes[0] == shapes[1]

    def test_both_hand_one_task_to_the_background(
        self,
        api: APIClient,
        known: User,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        started: list[str] = []
        monkeypatch.setattr(background._pool, "submit", lambda _, task, *__: started.append(task))

        for email in (known.email, "nobody@example.org"):
            with django_capture_on_commit_callbacks(execute=True):
                ask(api, email)

        assert started == ["authentication.tasks.deliver_email"] * 2

    def test_a_mail_server_that_is_down_is_no_difference(
        self, api: APIClient, known: User, delivered: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)

        for_known = ask(api, known.email, REMOTE_ADDR="203.0.113.1")
        delivered()
        for_unknown = ask(api, "nobody@example.org", REMOTE_ADDR="203.0.113.2")

        assert told(for_known) == told(for_unknown)

    def test_an_unknown_address_and_a_disabled_account_get_no_mail(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        UserFactory(email="ruth@example.org", is_active=False)

        ask(api, "ruth@example.org")
        ask(api, "nobody@example.org")

        assert delivered() == []
        assert not PasswordResetToken.objects.exists()

    def test_a_limit_is_reached_by_both_alike(self, api: APIClient, known: User) -> None:
        answers = {
            email: [ask(api, email, REMOTE_ADDR=address) for _ in range(6)]
            for email, address in (
                (known.email, "203.0.113.1"),
                ("nobody@example.org", "203.0.113.2"),
            )
        }

        of_known, of_unknown = answers.values()
        assert [answer.status_code for answer in of_known] == [200] * 5 + [429]
        assert [told(answer)["left"] for answer in of_known] == [
            told(answer)["left"] for answer in of_unknown
        ]
        assert of_known[-1].json()["code"] == of_unknown[-1].json()["code"] == "rate_limited"
        assert 0 < int(of_known[-1]["Retry-After"]) <= 3600

    def test_each_request_is_audited_with_its_person_if_there_is_one(
        self, api: APIClient, person: User
    ) -> None:
        for email in (person.email, "nobody@example.org"):
            ask(api, email, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")

        rows = AuditLog.objects.filter(event_type="password_reset_requested")
        assert {row.user for row in rows} == {person, None}
        assert {(row.ip_address, row.user_agent) for row in rows} == {("8.8.4.4", CHROME)}
        assert AuditLog.objects.count() == 2
        assert "example.org" not in json.dumps(list(rows.values()), default=str)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": EVIL},
        {"Host": f"{EVIL}:443"},
        {"X-Forwarded-Host": EVIL},
        {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "666", "X-Forwarded-Host": EVIL},
        {"Forwarded": f"host={EVIL};proto=https"},
        {"X-Original-Host": EVIL, "X-Host": EVIL, "X-Forwarded-Server": EVIL},
        {"Origin": f"https://{EVIL}", "Sec-Fetch-Site": "none"},
        {"Referer": f"https://{EVIL}/page"},
    ],
    ids="+".join,
)
def test_nothing_a_client_writes_gets_into_the_mail(
    api: APIClient, person: User, delivered: Deliver, settings: Settings, headers: dict[str, str]
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.USE_X_FORWARDED_HOST = False

    answer = ask(api, person.email, headers=headers)

    [message] = delivered()
    [link] = re.findall(r"https?://\S+token=\S+", str(message.body))
    assert answer.status_code == 200
    assert urlsplit(link)[:3] == ("http", "localhost:8002", "/account/reset-password/")
    assert EVIL not in message.message().as_string()
    assert "666" not in link


def test_a_front_end_gets_the_link(
    api: APIClient, person: User, delivered: Deliver, settings: Settings
) -> None:
    settings.PASSWORD_RESET_URL = "https://app.example.org/reset-password?token={token}"

    ask(api, person.email)

    [message] = delivered()
    assert re.search(
        r"https://app\.example\.org/reset-password\?token=[\w-]{43}\s", str(message.body)
    )


class TestMalformed:
    @pytest.mark.parametrize(
        "email",
        [
            *(None, 1, True, [], {}, ["ruth@example.org"], {"$ne": ""}),
            *(
                "",
                " ",
                "ruth",
                "ruth@",
                "@example.org",
                "ruth@example",
                "a@b@example.org",
                "ruth @example.org",
            ),
            *(
                "ruth\x00@example.org",
                "ruth\n@example.org",
                "ruth@example.org\nBcc: x@evil.example",
            ),
            *(
                f"{'x' * 243}@example.org",
                "x" * 60_000,
                "r\u00fcth@example.org",
                "\u202eruth@example.org",
            ),
        ],
        ids=lambda value: ascii(value)[:24],
    )
    def test_only_an_address_is_an_address(self, api: APIClient, db: None, email: object) -> None:
        answer = ask(api, email)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"email"}
        assert not OutgoingEmail.objects.exists()
        assert not AuditLog.objects.exists()

    def test_it_must_be_there(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {"username": "ruth"})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"email": ["This field is required."]}


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Basic dXNlcjpwYXNz"])
def test_a_stale_access_token_is_never_in_the_way(
    api: APIClient, person: User, header: str
) -> None:
    assert ask(api, person.email, headers={"Authorization": header}).status_code == 200


def test_a_database_that_fails_is_told_to_both_alike(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(OutgoingEmail.objects, "create", fail)

    answers = [ask(api, email) for email in (person.email, "nobody@example.org")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (503, "service_unavailable")
    }
    assert not AuditLog.objects.exists()
