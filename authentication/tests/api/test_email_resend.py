"""POST /api/v1/auth/email/resend/."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailVerificationToken, User
from authentication.tests.answers import (
    assert_invalid_fields,
    cookie_of,
    invalid_fields,
    unexpected,
)
from authentication.tests.clients import post_json
from authentication.tests.conftest import API, Deliver, queries, token_in
from authentication.tests.factories import unverified_user

URL = f"{API}/email/resend/"
VERIFY = f"{API}/email/verify/"
RESENT = {"message": "Verification email sent if account exists"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a user with an address that is not verified."""
    return unverified_user(email="Naomi@Example.org")


def test_the_request_mails_a_new_link(api: APIClient, newcomer: User, delivered: Deliver) -> None:
    answer = api.post(URL, {"email": newcomer.email})

    [message] = delivered()
    assert (answer.status_code, answer.json()) == (200, RESENT)
    assert message.to == ["Naomi@Example.org"]
    assert api.post(VERIFY, {"token": token_in(message)}).status_code == 200
    assert AuditLog.objects.get(event_type="email_resend").user == newcomer


def test_a_new_link_voids_the_older_one(api: APIClient, newcomer: User, delivered: Deliver) -> None:
    older = EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )

    api.post(URL, {"email": newcomer.email})

    [message] = delivered()
    assert api.post(VERIFY, {"token": older}).status_code == 400
    assert api.post(VERIFY, {"token": token_in(message)}).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["naomi@example.org", "NAOMI@EXAMPLE.ORG", " naomi@example.org ", "\uff4eaomi@example.org"],
)
def test_the_mail_goes_to_the_address_of_the_account_and_not_to_its_typed_spelling(
    api: APIClient, newcomer: User, delivered: Deliver, typed: str
) -> None:
    answer = api.post(URL, {"email": typed})

    assert answer.json() == RESENT
    assert [message.to for message in delivered()] == [["Naomi@Example.org"]]


class TestEnumeration:
    @pytest.mark.parametrize("email", ["nobody@example.org", "nobody@nowhere.example"])
    def test_an_unknown_address_gets_the_same_answer_and_no_mail(
        self, api: APIClient, delivered: Deliver, email: str
    ) -> None:
        answer = api.post(URL, {"email": email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []
        assert not User.objects.exists()

    def test_a_verified_address_gets_the_same_answer_and_no_mail(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        answer = api.post(URL, {"email": person.email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []
        assert not EmailVerificationToken.objects.exists()

    def test_a_disabled_account_gets_the_same_answer_and_no_mail(
        self, api: APIClient, newcomer: User, delivered: Deliver
    ) -> None:
        User.objects.filter(pk=newcomer.pk).update(is_active=False)

        answer = api.post(URL, {"email": newcomer.email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []

    def test_every_address_gets_the_same_headers_and_costs_the_same_statements(
        self, api: APIClient, newcomer: User, person: User
    ) -> None:
        seen = []
        for email in (newcomer.email, person.email, "nobody@example.org"):
            with CaptureQueriesContext(connection) as captured:
                answer = api.post(URL, {"email": email})
            statements = [sql.split(" ")[0] for sql in queries(captured)]
            seen.append((answer.status_code, answer.content, sorted(answer.headers), statements))

        assert seen[0] == seen[1] == seen[2]


def test_an_address_gets_at_most_three_mails_an_hour(
    time_machine: TimeMachineFixture,
    api: APIClient,
    newcomer: User,
    delivered: Deliver,
    settings: Settings,
) -> None:
    settings.RATELIMIT_ENABLE = False
    time_machine.move_to(timezone.now(), tick=False)

    answers = []
    for _ in range(5):
        answers.append(api.post(URL, {"email": newcomer.email}).json())
        delivered()
    first_hour = len(delivered())
    time_machine.shift(dt.timedelta(hours=1, seconds=1))
    api.post(URL, {"email": newcomer.email})

    assert answers == [RESENT] * 5
    assert first_hour == 3
    assert len(delivered()) == 4


def test_mails_to_one_address_do_not_count_for_another(
    api: APIClient, newcomer: User, delivered: Deliver
) -> None:
    other = unverified_user()

    for email in (newcomer.email, newcomer.email, newcomer.email, other.email):
        api.post(URL, {"email": email})
        delivered()

    assert [message.to[0] for message in delivered()] == [newcomer.email] * 3 + [other.email]


def test_an_invalid_address_is_refused_and_mails_nothing(
    api: APIClient, newcomer: User, delivered: Deliver, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False
    values: list[Any] = [
        *("", "  ", None, 1, True, [], ["naomi@example.org"], {}),
        *("naomi", "naomi@", "a" * 243 + "@example.org"),
        "naomi@example.org\r\nBcc: x@example.org",
        "na\x00omi@example.org",
        "na\ud800omi@example.org",
    ]

    def outcome(value: object) -> set[str]:
        return invalid_fields(post_json(api, URL, {"email": value}))

    assert unexpected(values, outcome, {"email"}) == {}
    assert delivered() == []
    assert not AuditLog.objects.exists()


def test_a_missing_address_is_refused(api: APIClient, db: None) -> None:
    answer = api.post(URL, {})

    assert_invalid_fields(answer, "email")
    assert answer.json()["errors"] == {"email": ["This field is required."]}


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_ignored(api: APIClient, newcomer: User, header: str) -> None:
    answer = api.post(URL, {"email": newcomer.email}, headers={"Authorization": header})

    assert (answer.status_code, answer.json()) == (200, RESENT)
    assert cookie_of(answer) is None
