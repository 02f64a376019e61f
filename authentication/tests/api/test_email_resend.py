"""POST /api/v1/auth/email/resend/."""

import datetime as dt
import json
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailVerificationToken, User
from authentication.tests.answers import cookie_of
from authentication.tests.conftest import API, queries, token_in
from authentication.tests.factories import UserFactory

URL = f"{API}/email/resend/"
RESENT = {"message": "Verification email sent if account exists"}

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(db: None) -> User:
    """Return a person whose address is not proven yet."""
    return UserFactory(email="Naomi@Example.org", email_verified=False, email_verified_at=None)


def test_a_new_link_is_mailed(api: APIClient, newcomer: User, delivered: Deliver) -> None:
    answer = api.post(URL, {"email": newcomer.email})

    [message] = delivered()
    assert (answer.status_code, answer.json()) == (200, RESENT)
    assert message.to == ["Naomi@Example.org"]
    assert api.post(f"{API}/email/verify/", {"token": token_in(message)}).status_code == 200
    assert AuditLog.objects.get(event_type="email_resend").user == newcomer


def test_the_new_link_voids_the_older(api: APIClient, newcomer: User, delivered: Deliver) -> None:
    older = EmailVerificationToken.objects.issue(
        newcomer.pk, email=newcomer.email, at=timezone.now()
    )

    api.post(URL, {"email": newcomer.email})

    [message] = delivered()
    assert api.post(f"{API}/email/verify/", {"token": older}).status_code == 400
    assert api.post(f"{API}/email/verify/", {"token": token_in(message)}).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["naomi@example.org", "NAOMI@EXAMPLE.ORG", " naomi@example.org ", "\uff4eaomi@example.org"],
)
def test_the_mail_goes_to_the_accounts_own_address_however_it_was_typed(
    api: APIClient, newcomer: User, delivered: Deliver, typed: str
) -> None:
    answer = api.post(URL, {"email": typed})

    assert answer.json() == RESENT
    assert [message.to for message in delivered()] == [["Naomi@Example.org"]]


class TestNobodyLearnsWhoHasAnAccount:
    @pytest.mark.parametrize("email", ["nobody@example.org", "nobody@nowhere.example"])
    def test_an_unknown_address_gets_the_answer_and_no_mail(
        self, api: APIClient, delivered: Deliver, email: str
    ) -> None:
        answer = api.post(URL, {"email": email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []
        assert not User.objects.exists()

    def test_a_proven_address_gets_the_answer_and_no_mail(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        answer = api.post(URL, {"email": person.email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []
        assert not EmailVerificationToken.objects.exists()

    def test_a_disabled_account_gets_the_answer_and_no_mail(
        self, api: APIClient, newcomer: User, delivered: Deliver
    ) -> None:
        User.objects.filter(pk=newcomer.pk).update(is_active=False)

        answer = api.post(URL, {"email": newcomer.email})

        assert (answer.status_code, answer.json()) == (200, RESENT)
        assert delivered() == []

    def test_all_addresses_are_answered_with_the_same_headers_and_work(
        self, api: APIClient, newcomer: User, person: User
    ) -> None:
        seen = []
        for email in (newcomer.email, person.email, "nobody@example.org"):
            with CaptureQueriesContext(connection) as captured:
                answer = api.post(URL, {"email": email})
            statements = [sql.split(" ")[0] for sql in queries(captured)]
            seen.append((answer.status_code, answer.content, sorted(answer.headers), statements))

        assert seen[0] == seen[1] == seen[2]


def test_three_mails_an_hour_go_to_one_address_and_more_are_dropped_silently(
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


def test_one_persons_mails_do_not_count_for_another(
    api: APIClient, newcomer: User, delivered: Deliver
) -> None:
    other = UserFactory(email_verified=False, email_verified_at=None)

    for email in (newcomer.email, newcomer.email, newcomer.email, other.email):
        api.post(URL, {"email": email})
        delivered()

    assert [message.to[0] for message in delivered()] == [newcomer.email] * 3 + [other.email]


class TestMalformed:
    @pytest.mark.parametrize(
        "value",
        [
            *(
                "",
                "  ",
                None,
                1,
                True,
                [],
                ["naomi@example.org"],
                {},
                "naomi",
                "naomi@",
                "a" * 243 + "@example.org",
            ),
            *(
                "naomi@example.org\r\nBcc: x@example.org",
                "na\x00omi@example.org",
                "na\ud800omi@example.org",
            ),
        ],
        ids=ascii,
    )
    def test_only_an_address_is_written_to(
        self, api: APIClient, newcomer: User, delivered: Deliver, value: object
    ) -> None:
        answer = api.post(URL, json.dumps({"email": value}), content_type="application/json")

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["errors"].keys() == {"email"}
        assert delivered() == []
        assert not AuditLog.objects.exists()

    def test_the_address_must_be_there(self, api: APIClient, db: None) -> None:
        answer = api.post(URL, {})

        assert answer.status_code == 400
        assert answer.json()["errors"] == {"email": ["This field is required."]}


@pytest.mark.parametrize("header", ["Bearer stale.access.token", "Bearer"])
def test_a_stale_access_token_is_not_in_the_way(
    api: APIClient, newcomer: User, header: str
) -> None:
    answer = api.post(URL, {"email": newcomer.email}, headers={"Authorization": header})

    assert answer.status_code == 200
    assert cookie_of(answer) is None
