"""POST /api/v1/auth/password/reset/: the answer does not show who has an account."""

import json
import re
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User
from authentication.services.background import queue as background
from authentication.tests.answers import (
    assert_problem,
    comparable,
    cookie_of,
)
from authentication.tests.conftest import BROWSER, CHROME, Deliver, queries
from authentication.tests.factories import UserFactory

from .passwords import RESET_REQUESTED, request_reset

pytestmark = pytest.mark.django_db


def remaining(answer: Any) -> str:
    """Return the RateLimit header without the seconds until the limit resets."""
    return str(answer["RateLimit"].partition(";t=")[0])


def visible(answer: Any) -> dict[str, Any]:
    """Return all that a client sees, without what differs from request to request."""
    return {**comparable(answer, ignore={"RateLimit"}), "remaining": remaining(answer)}


class TestEnumeration:
    @pytest.fixture(
        params=[
            {},
            {"is_active": False},
            {"email_verified": False, "email_verified_at": None},
            {"is_superuser": True},
        ],
        ids=["verified", "disabled", "unverified", "superuser"],
    )
    def known(self, request: pytest.FixtureRequest, db: None) -> User:
        return UserFactory(email="ruth@example.org", **request.param)

    @pytest.mark.parametrize("headers", [{}, BROWSER], ids=["app", "browser"])
    def test_known_and_unknown_addresses_get_the_same_answer(
        self, api: APIClient, known: User, headers: dict[str, str]
    ) -> None:
        for_known = request_reset(api, known.email, headers=headers, REMOTE_ADDR="203.0.113.1")
        for_unknown = request_reset(
            api, "nobody@example.org", headers=headers, REMOTE_ADDR="203.0.113.2"
        )

        assert visible(for_known) == visible(for_unknown)
        assert (for_known.status_code, for_known.json()) == (200, RESET_REQUESTED)
        assert cookie_of(for_known) is None

    def test_known_and_unknown_addresses_cost_the_same_queries(
        self, api: APIClient, known: User
    ) -> None:
        with CaptureQueriesContext(connection) as for_known:
            request_reset(api, known.email)
        with CaptureQueriesContext(connection) as for_unknown:
            request_reset(api, "nobody@example.org")

        shapes = [
            [re.sub(r"VALUES.*", "", sql)[:80] for sql in queries(it)]
            for it in (for_known, for_unknown)
        ]
        assert shapes[0] == shapes[1]

    def test_known_and_unknown_addresses_start_one_task(
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
                request_reset(api, email)

        assert started == ["authentication.tasks.deliver_email"] * 2

    def test_a_failing_mail_server_changes_no_answer(
        self, api: APIClient, known: User, delivered: Deliver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)

        for_known = request_reset(api, known.email, REMOTE_ADDR="203.0.113.1")
        delivered()
        for_unknown = request_reset(api, "nobody@example.org", REMOTE_ADDR="203.0.113.2")

        assert visible(for_known) == visible(for_unknown)

    def test_an_unknown_address_and_a_disabled_account_get_no_mail(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        UserFactory(email="ruth@example.org", is_active=False)

        request_reset(api, "ruth@example.org")
        request_reset(api, "nobody@example.org")

        assert delivered() == []
        assert not PasswordResetToken.objects.exists()

    def test_the_rate_limit_is_the_same_for_known_and_unknown_addresses(
        self, api: APIClient, known: User
    ) -> None:
        answers = {
            email: [request_reset(api, email, REMOTE_ADDR=address) for _ in range(6)]
            for email, address in (
                (known.email, "203.0.113.1"),
                ("nobody@example.org", "203.0.113.2"),
            )
        }

        of_known, of_unknown = answers.values()
        assert [answer.status_code for answer in of_known] == [200] * 5 + [429]
        assert [remaining(answer) for answer in of_known] == [
            remaining(answer) for answer in of_unknown
        ]
        assert_problem(of_known[-1], 429, "rate_limited")
        assert_problem(of_unknown[-1], 429, "rate_limited")
        assert 0 < int(of_known[-1]["Retry-After"]) <= 3600

    def test_each_request_is_audited_with_its_user_if_there_is_one(
        self, api: APIClient, person: User
    ) -> None:
        for email in (person.email, "nobody@example.org"):
            request_reset(api, email, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")

        rows = AuditLog.objects.filter(event_type="password_reset_requested")
        assert {row.user for row in rows} == {person, None}
        assert {(row.ip_address, row.user_agent) for row in rows} == {("8.8.4.4", CHROME)}
        assert AuditLog.objects.count() == 2
        assert "example.org" not in json.dumps(list(rows.values()), default=str)


def test_a_failing_database_is_a_503_for_known_and_unknown_addresses(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError

    monkeypatch.setattr(OutgoingEmail, "save", fail)

    answers = [request_reset(api, email) for email in (person.email, "nobody@example.org")]

    for answer in answers:
        assert_problem(answer, 503, "service_unavailable")
    assert not AuditLog.objects.exists()
