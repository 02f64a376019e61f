"""The outbox: failed attempts, and mails that are being sent."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone
from time_machine import TimeMachineFixture

from authentication.models import OutgoingEmail, User
from authentication.services import EmailService
from authentication.services.mail import outcomes
from authentication.tests.clients import NOON
from authentication.tests.conftest import deliver_due

from .outbox_mails import queue_mail, states

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_a_failing_mail_is_dead_after_eight_attempts_with_growing_pauses(
    time_machine: TimeMachineFixture,
    person: User,
    broken_server: object,
    mailoutbox: list[EmailMessage],
) -> None:
    mail, pauses = queue_mail(user=person), []
    for _ in range(8):
        EmailService.deliver(mail.pk)
        mail.refresh_from_db()
        pause = mail.next_attempt_at - timezone.now()
        pauses.append(pause.total_seconds())
        time_machine.shift(pause - dt.timedelta(seconds=1))
        deliver_due()
        time_machine.shift(1)

    assert pauses[:7] == [5, 20, 120, 240, 480, 960, 1920]
    assert states() == [("dead", 8)]
    time_machine.shift(dt.timedelta(days=30))
    deliver_due()
    assert states() == [("dead", 8)]
    assert mailoutbox == []


def test_a_mail_is_sent_once_the_server_works_again(
    time_machine: TimeMachineFixture,
    person: User,
    broken_server: Callable[[], None],
    mailoutbox: list[EmailMessage],
) -> None:
    mail = queue_mail(user=person)
    for _ in range(7):
        EmailService.deliver(mail.pk)
        time_machine.shift(dt.timedelta(hours=1))
    broken_server()

    deliver_due()

    mail.refresh_from_db()
    assert (mail.status, mail.attempts, len(mailoutbox)) == ("sent", 8, 1)


def test_only_the_class_of_an_error_is_stored(person: User, broken_server: object) -> None:
    EmailService.deliver(queue_mail(user=person).pk)

    assert OutgoingEmail.objects.get().last_error == "SMTPRecipientsRefused"


def test_send_again_sends_a_dead_mail(
    person: User, broken_server: Callable[[], None], mailoutbox: list[EmailMessage]
) -> None:
    mail = queue_mail(user=person)
    assert EmailService.send_again(mail.pk) is False
    OutgoingEmail.objects.update(status="dead", attempts=8)
    broken_server()

    assert EmailService.send_again(mail.pk) is True
    deliver_due()

    assert (states(), len(mailoutbox)) == ([("sent", 1)], 1)


def test_a_claimed_mail_is_sent_only_after_its_lease(
    time_machine: TimeMachineFixture, person: User, mailoutbox: list[EmailMessage]
) -> None:
    mail = queue_mail(user=person)
    assert OutgoingEmail.objects.claim(mail.pk, at=timezone.now())
    time_machine.shift(119)
    deliver_due()
    EmailService.deliver(mail.pk)
    assert (states(), mailoutbox) == ([("queued", 1)], [])
    time_machine.shift(1)

    deliver_due()

    assert (states(), len(mailoutbox)) == ([("sent", 2)], 1)


@pytest.mark.parametrize("status", ["sent", "suppressed", "dead"])
def test_a_finished_mail_cannot_be_claimed(
    person: User, status: str, mailoutbox: list[EmailMessage]
) -> None:
    mail = queue_mail(user=person)
    OutgoingEmail.objects.update(status=status, sent_at=NOON)

    EmailService.deliver(mail.pk)
    deliver_due()

    assert (states(), mailoutbox) == ([(status, 0)], [])


def test_the_first_two_retries_do_not_wait_for_the_sweep(
    person: User, broken_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, float | None]] = []
    mail = queue_mail(user=person)
    monkeypatch.setattr(outcomes, "enqueue", lambda _, pk, delay=None: started.append((pk, delay)))

    for _ in range(4):
        OutgoingEmail.objects.update(next_attempt_at=timezone.now())
        EmailService.deliver(mail.pk)

    assert started == [(str(mail.pk), 5), (str(mail.pk), 20)]
