"""Checking passwords against known breaches: what follows, and what is sent."""

import hashlib
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient
from werkzeug import Request, Response

from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User
from authentication.tests.clients import (
    NEW_PASSWORD,
    Tokens,
    log_in,
    post_as,
    set_password,
    sign_in,
)
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper
from authentication.utils.pwned import breached_suffixes

from .breach_ranges import (
    NOISE,
    Queued,
    change_password,
    range_with_password,
    run_queued,
    serve_range,
    sha1,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("range_api")]

REGISTER = f"{API}/register/"


def user_at_login(api: APIClient, user: User) -> dict[str, Any]:
    answer = log_in(api, user, NEW_PASSWORD)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()["user"]
    return found


class TestBreachedPassword:
    def test_the_account_is_flagged_audited_and_mailed_once(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        delivered: Deliver,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(api, signed_in)

        run_queued(queued)
        run_queued(queued)

        person.refresh_from_db()
        row = AuditLog.objects.get(event_type="password_breached")
        assert person.password_breached_at is not None
        assert (row.user, row.risk_level, row.metadata) == (person, "high", {})
        assert OutgoingEmail.objects.filter(kind="breached_password").count() == 1
        assert [it.to for it in delivered() if it.subject == "Please choose another password"] == [
            [person.email]
        ]

    def test_every_sign_in_reports_the_breach_until_the_password_changes(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(api, signed_in)
        assert "password_breached" not in user_at_login(api, person)

        run_queued(queued)

        assert [user_at_login(api, person)["password_breached"] for _ in range(2)] == [True, True]
        passwords = {"old_password": NEW_PASSWORD, "new_password": "Third-Horse-33"}
        # Each sign-in replaced the session of its cookie.
        newest = log_in(api, person, NEW_PASSWORD).json()
        changed = post_as(api, newest, f"{API}/password/change/", passwords)
        assert changed.status_code == 200, changed.content
        answer = log_in(api, person, "Third-Horse-33")
        assert "password_breached" not in answer.json()["user"]

    def test_the_password_of_a_registration_is_checked(
        self, api: APIClient, queued: Queued, httpserver: HTTPServer
    ) -> None:
        serve_range(httpserver, range_with_password())
        api.post(REGISTER, {"email": "ruth@example.org", "password": NEW_PASSWORD})

        run_queued(queued)

        assert User.objects.get().password_breached_at is not None

    def test_the_password_of_a_reset_is_checked(
        self, api: APIClient, person: User, queued: Queued, httpserver: HTTPServer
    ) -> None:
        serve_range(httpserver, range_with_password())
        token = PasswordResetToken.objects.issue(person, at=person.created_at)
        api.post(f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD})

        run_queued(queued)

        person.refresh_from_db()
        assert person.password_breached_at is not None

    @pytest.mark.parametrize("ending", ["\r\n", "\n"])
    def test_lines_may_end_in_lf_or_crlf(self, httpserver: HTTPServer, ending: str) -> None:
        serve_range(
            httpserver,
            ending.join([f"{'A' * 35}:1", f"{sha1(NEW_PASSWORD)[5:]}:2", f"{'B' * 35}:3"]),
        )

        assert sha1(NEW_PASSWORD)[5:] in breached_suffixes(sha1(NEW_PASSWORD)[:5])


class TestOtherPassword:
    @pytest.mark.parametrize(
        "body", [NOISE, range_with_password(count=0)], ids=["others", "padding"]
    )
    def test_a_password_that_is_not_listed_changes_nothing(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        body: str,
    ) -> None:
        serve_range(httpserver, body)
        change_password(api, signed_in)

        run_queued(queued)

        person.refresh_from_db()
        assert len(queued) == 1
        assert person.password_breached_at is None
        assert not AuditLog.objects.filter(event_type="password_breached").exists()
        assert not OutgoingEmail.objects.filter(kind="breached_password").exists()

    def test_a_password_changed_before_the_check_is_not_flagged(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(api, signed_in)
        person.refresh_from_db()
        set_password(person, "Third-Horse-33")

        run_queued(queued)

        person.refresh_from_db()
        assert person.password_breached_at is None
        assert not AuditLog.objects.filter(event_type="password_breached").exists()

    def test_a_deleted_account_is_skipped(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(api, signed_in)
        tamper(person)

        run_queued(queued)

        assert not OutgoingEmail.objects.filter(kind="breached_password").exists()

    def test_a_setting_turns_the_check_off(
        self,
        api: APIClient,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        settings: Settings,
    ) -> None:
        settings.HIBP_ENABLED = False

        change_password(api, signed_in)

        assert queued == []
        assert httpserver.log == []


class TestSecrecy:
    def test_the_request_holds_five_hex_digits_and_asks_for_padding(
        self, api: APIClient, signed_in: Tokens, queued: Queued, httpserver: HTTPServer
    ) -> None:
        seen: list[Request] = []

        def remember(request: Request) -> Response:
            seen.append(request)
            return Response(NOISE)

        httpserver.expect_request("/range/").respond_with_data("")
        httpserver.expect_request(f"/range/{sha1(NEW_PASSWORD)[:5]}").respond_with_handler(remember)
        change_password(api, signed_in)

        run_queued(queued)

        [request] = seen
        assert request.full_path.rstrip("?") == f"/range/{sha1(NEW_PASSWORD)[:5]}"
        assert request.headers["Add-Padding"] == "true"
        assert request.method == "GET"
        assert request.get_data() == b""
        assert not {"Authorization", "Cookie", "Referer"} & set(request.headers.keys())
        assert sha1(NEW_PASSWORD)[5:] not in str(request.headers).upper()

    def test_the_task_holds_nothing_to_guess_the_password_from(
        self, api: APIClient, person: User, signed_in: Tokens, queued: Queued
    ) -> None:
        change_password(api, signed_in)

        person.refresh_from_db()
        [(task, user_id, changed_at, prefix, salt, mac)] = queued
        assert task == "authentication.tasks.check_breach"
        assert (user_id, changed_at) == (str(person.pk), person.password_changed_at.isoformat())
        assert prefix == sha1(NEW_PASSWORD)[:5]
        assert (len(salt), len(mac)) == (32, 64)
        hashes = [
            hashlib.new(name, NEW_PASSWORD.encode()).hexdigest()
            for name in ("md5", "sha1", "sha256")
        ]
        salted = [
            hashlib.sha256(text.encode()).hexdigest()
            for text in (
                salt + NEW_PASSWORD,
                NEW_PASSWORD + salt,
                salt + sha1(NEW_PASSWORD),
                sha1(NEW_PASSWORD) + salt,
            )
        ]
        task = " ".join(queued[0]).lower()
        assert not any(
            secret in task for secret in (NEW_PASSWORD.lower(), sha1(NEW_PASSWORD)[5:].lower())
        )
        assert not any(derived in task for derived in (*hashes, *salted))

    def test_two_tasks_for_one_password_differ(
        self, api: APIClient, queued: Queued, httpserver: HTTPServer
    ) -> None:
        for _ in range(2):
            change_password(api, sign_in(api, UserFactory()))

        first, second = queued
        assert first[4] != second[4]
        assert first[5] != second[5]

    def test_a_task_is_useless_without_the_secret_key(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        settings: Settings,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(api, signed_in)
        settings.SECRET_KEY = "another-key-than-the-one-it-was-queued-under"

        run_queued(queued)

        person.refresh_from_db()
        assert person.password_breached_at is None

    def test_a_worker_with_another_first_key_knows_the_password(
        self,
        person: User,
        signed_in: Tokens,
        queued: Queued,
        httpserver: HTTPServer,
        settings: Settings,
    ) -> None:
        serve_range(httpserver, range_with_password())
        change_password(APIClient(), signed_in)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-than-the-one-it-was-queued-under"

        run_queued(queued)

        assert User.objects.get(pk=person.pk).password_breached_at is not None
