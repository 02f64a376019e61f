"""What staff are told when the mail they ask for would not be sent."""

import pytest
from django.test import Client

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.tests.conftest import Deliver
from authentication.tests.factories import unverified_user
from authentication.tests.services.mail.outbox_mails import Kind, queue_mail

from .staff import MAILS, messages_of, refusals_of, run_action, run_bulk

pytestmark = pytest.mark.django_db

OVER_LIMIT = (
    "This account gets no more mails of this kind for now: it had 3 within the hour."
    " Please try again later."
)


@pytest.mark.parametrize("deliver_each", [True, False])
def test_staff_see_that_a_fourth_reset_link_within_the_hour_is_not_sent(
    superuser_client: Client, person: User, delivered: Deliver, *, deliver_each: bool
) -> None:
    answers = []
    for _ in range(4):
        answers.append(refusals_of(run_bulk(superuser_client, "send-reset", person)))
        if deliver_each:
            delivered()

    assert answers == [[], [], [], [OVER_LIMIT]]
    assert len(delivered()) == 3
    assert AuditLog.objects.filter(metadata__action="send_reset_link").count() == 3


def test_staff_see_that_a_fourth_verification_mail_within_the_hour_is_not_sent(
    superuser_client: Client, delivered: Deliver
) -> None:
    newcomer = unverified_user()

    answers = [
        refusals_of(run_bulk(superuser_client, "send-verification", newcomer)) for _ in range(4)
    ]

    assert answers == [[], [], [], [OVER_LIMIT]]
    assert len(delivered()) == 3


def test_staff_see_that_a_dead_letter_over_the_limit_is_not_sent_again(
    superuser_client: Client, person: User, delivered: Deliver
) -> None:
    dead = queue_mail(user=person)
    OutgoingEmail.objects.update(status="dead", attempts=8)
    dead.refresh_from_db()
    for _ in range(3):
        queue_mail(user=person)
    delivered()

    answer = run_action(superuser_client, "send_again", dead, at=MAILS)

    assert messages_of(answer) == [
        OVER_LIMIT,
        "0 mails will be sent again.",
    ]
    dead.refresh_from_db()
    assert dead.status == "dead"


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (
            Kind.PASSWORD_RESET,
            {"is_active": False},
            "This account is disabled, and gets no mail.",
        ),
        (Kind.VERIFICATION, {}, "This address is verified already."),
    ],
)
def test_staff_see_that_a_dead_letter_without_a_reason_is_not_sent_again(
    superuser_client: Client, person: User, kind: str, change: dict[str, bool], message: str
) -> None:
    dead = queue_mail(kind, user=person)
    OutgoingEmail.objects.update(status="dead", attempts=8)
    dead.refresh_from_db()
    User.objects.filter(pk=person.pk).update(**{"is_active": True, **change})

    answer = run_action(superuser_client, "send_again", dead, at=MAILS)

    assert messages_of(answer) == [
        message,
        "0 mails will be sent again.",
    ]
