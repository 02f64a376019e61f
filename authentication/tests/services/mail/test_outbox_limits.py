"""The outbox: how many mails of a kind an account gets."""

import datetime as dt

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, Deliver, deliver_due
from authentication.tests.factories import UserFactory, unverified_user

from .outbox_mails import Kind, queue_mail, states

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_a_user_gets_three_mails_of_a_kind_per_hour(
    time_machine: TimeMachineFixture, person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        EmailService.deliver(queue_mail(user=person).pk)
        time_machine.shift(60)
    assert [status for status, _ in states()] == ["sent"] * 3 + ["suppressed"] * 2

    time_machine.move_to(NOON + dt.timedelta(hours=1))
    EmailService.deliver(queue_mail(user=person).pk)
    EmailService.deliver(queue_mail(user=person).pk)

    assert len(mailoutbox) == 4


def test_three_of_five_waiting_mails_are_sent(person: User, mailoutbox: list[EmailMessage]) -> None:
    for _ in range(5):
        queue_mail(user=person)

    deliver_due()

    assert sorted(status for status, _ in states()) == ["sent"] * 3 + ["suppressed"] * 2
    assert len(mailoutbox) == 3


def test_the_limit_counts_each_user_and_kind_separately(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for user in (person, UserFactory()):
        for kind in (Kind.ACCOUNT_LOCKED, Kind.ACCOUNT_EXISTS):
            for _ in range(3):
                EmailService.deliver(queue_mail(kind, user=user).pk)

    assert len(mailoutbox) == 12


def test_dead_mails_do_not_count_towards_the_limit(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(5):
        queue_mail(user=person)
    OutgoingEmail.objects.update(status="dead", attempts=8)

    EmailService.deliver(queue_mail(user=person).pk)

    assert len(mailoutbox) == 1


def test_repeated_requests_for_a_link_are_limited_silently(
    api: APIClient, settings: Settings, delivered: Deliver
) -> None:
    settings.RATELIMIT_ENABLE = False
    person = unverified_user(email="r.uth@gmail.com")
    spellings = (
        "r.uth@gmail.com",
        "ruth@gmail.com",
        "RUTH+a@googlemail.com",
        "ru.th+b@gmail.com",
        person.email,
    )

    answers = [api.post(f"{API}/email/resend/", {"email": spelling}) for spelling in spellings]

    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, b'{"message":"Verification email sent if account exists"}')
    }
    assert len(delivered()) == 3
