"""Concurrent senders send each mail once."""

from functools import partial

import pytest
from django.core.mail import EmailMessage

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService
from authentication.services.background import queue as background
from authentication.tests.factories import UserFactory

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def waiting(user: User) -> OutgoingEmail:
    return OutgoingEmail.objects.create(kind="account_locked", user=user)


def states() -> dict[str, int]:
    found = list(OutgoingEmail.objects.values_list("status", flat=True))
    return {status: found.count(status) for status in set(found)}


def test_of_sixteen_senders_one_sends(person: User, mailoutbox: list[EmailMessage]) -> None:
    mail = waiting(person)

    all_at_once(*[lambda: EmailService.deliver(mail.pk)] * 16)

    mail.refresh_from_db()
    assert (len(mailoutbox), mail.status, mail.attempts) == (1, "sent", 1)


def test_sweeps_at_the_same_moment_send_each_mail_once(
    db: None, mailoutbox: list[EmailMessage]
) -> None:
    people = [UserFactory() for _ in range(12)]
    for person in people:
        waiting(person)

    all_at_once(*[EmailService.sweep] * 4)
    # They hand the mails to senders.
    background._pool.shutdown(wait=True)

    assert sorted(message.to[0] for message in mailoutbox) == sorted(
        person.email for person in people
    )
    assert states() == {"sent": 12}


def test_of_six_mails_of_a_kind_at_the_same_moment_three_arrive(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        OutgoingEmail.objects.all().delete()
        mailoutbox.clear()
        mails = [waiting(person).pk for _ in range(6)]

        all_at_once(*(partial(EmailService.deliver, pk) for pk in mails))

        assert (len(mailoutbox), states()) == (3, {"sent": 3, "suppressed": 3})
