"""The outbox: from a queued mail to its delivery."""

import datetime as dt
import uuid

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import IntegrityError, transaction
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AccountExport,
    AuditLog,
    EmailChange,
    EmailVerificationToken,
    Invitation,
    OutgoingEmail,
    SecondFactorRemoval,
    User,
)
from authentication.services import EmailService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, Deliver, deliver_due
from authentication.tests.factories import UserFactory
from authentication.tests.sealing import tamper
from authentication.utils.clock import LEEWAY

from .outbox_mails import Kind, queue_mail, states

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_a_queued_mail_is_a_row_without_secrets(person: User) -> None:
    mail = queue_mail(Kind.TOKEN_REUSE, user=person, device="Ruth's phone")

    assert OutgoingEmail.objects.values().get() == {
        "id": mail.pk,
        "user_id": person.pk,
        "kind": "token_reuse",
        "context": {"device": "Ruth's phone"},
        "status": "queued",
        "attempts": 0,
        "last_error": "",
        "correlation_id": "",
        "created_at": NOON,
        "next_attempt_at": NOON - LEEWAY,
        "sent_at": None,
    }


def test_a_mail_is_sent_once_as_text_and_html(
    person: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    mail = queue_mail(user=person)

    EmailService.deliver(mail.pk)
    EmailService.deliver(str(mail.pk))

    (message,) = mailoutbox
    assert isinstance(message, EmailMultiAlternatives)
    assert message.to == [person.email]
    assert message.reply_to == [settings.SUPPORT_EMAIL]
    assert message.extra_headers.pop("Message-ID")
    assert message.extra_headers == {
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
    }
    assert "\n" not in message.subject
    ((html, kind),) = message.alternatives
    assert (kind, str(html).lstrip()[:9].lower()) == ("text/html", "<!doctype")
    mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.sent_at, mail.last_error) == ("sent", 1, NOON, "")


def test_a_mail_goes_to_the_address_as_typed(mailoutbox: list[EmailMessage]) -> None:
    person = UserFactory(email="R.uth+Moab@GoogleMail.com")

    EmailService.deliver(queue_mail(user=person).pk)

    assert mailoutbox[0].to == ["R.uth+Moab@GoogleMail.com"]


@pytest.mark.parametrize("kind", sorted(Kind.values))
def test_every_kind_of_mail_can_be_sent(
    person: User, mailoutbox: list[EmailMessage], kind: str
) -> None:
    is_proven = kind == Kind.ACCOUNT_EXISTS
    User.objects.filter(pk=person.pk).update(email_verified=is_proven)
    change = EmailChange.objects.create(
        user=person, old_email=person.email, new_email="naomi@example.org"
    )
    export = AccountExport.objects.create(user=person, ready_at=NOON)
    removal = SecondFactorRemoval.objects.create(user=person, factor_since=NOON, reason="Lost")
    invitation = Invitation.objects.create(
        email="ruth@example.org", expires_at=NOON + dt.timedelta(days=7)
    )
    event = AuditLog.log_event("new_country", user=person, metadata={"country": "DE"})
    rows = {"change": change, "export": export, "removal": removal, "event": event}
    rows["invitation"] = invitation
    mail = queue_mail(kind, user=person, **{name: str(row.pk) for name, row in rows.items()})

    EmailService.deliver(mail.pk)

    mail.refresh_from_db()
    assert (mail.status, mail.last_error) == ("sent", "")
    assert len(mailoutbox) == 1


def test_a_rollback_removes_the_queued_mail(person: User) -> None:
    with transaction.atomic():
        EmailService.queue(Kind.ACCOUNT_LOCKED, user_id=person.pk)
        transaction.set_rollback(rollback=True)

    assert not OutgoingEmail.objects.exists()


def test_the_sweep_sends_due_mails_oldest_first(
    time_machine: TimeMachineFixture, mailoutbox: list[EmailMessage]
) -> None:
    people = [UserFactory() for _ in range(3)]
    for person in people:
        queue_mail(user=person)
        time_machine.shift(1)
    OutgoingEmail.objects.filter(user=people[2]).update(
        next_attempt_at=NOON + dt.timedelta(hours=1)
    )

    deliver_due()

    assert [message.to[0] for message in mailoutbox] == [person.email for person in people[:2]]


def test_a_faulty_mail_does_not_stop_the_others(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    faulty = queue_mail(user=person)
    OutgoingEmail.objects.filter(pk=faulty.pk).update(kind="nonsense")
    queue_mail(user=person)

    deliver_due()

    assert sorted(states()) == [("queued", 1), ("sent", 1)]
    assert len(mailoutbox) == 1


@pytest.mark.parametrize("pk", [uuid.UUID(int=0), str(uuid.UUID(int=0))])
def test_a_missing_mail_is_skipped(pk: uuid.UUID | str, mailoutbox: list[EmailMessage]) -> None:
    EmailService.deliver(pk)

    assert mailoutbox == []


def test_a_disabled_account_gets_no_mail(person: User, mailoutbox: list[EmailMessage]) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    queue_mail(user=person)

    deliver_due()

    assert (states(), mailoutbox) == ([("suppressed", 1)], [])


def test_a_verified_address_gets_no_verification_mail(
    person: User, mailoutbox: list[EmailMessage]
) -> None:
    queue_mail(Kind.VERIFICATION, user=person)

    deliver_due()

    assert (states(), mailoutbox) == ([("suppressed", 1)], [])


def test_mails_are_deleted_with_their_user(person: User, mailoutbox: list[EmailMessage]) -> None:
    queue_mail(user=person)

    tamper(person)
    deliver_due()

    assert (states(), mailoutbox) == ([], [])


def test_a_decoy_is_deleted_and_sends_nothing(mailoutbox: list[EmailMessage]) -> None:
    decoy = queue_mail(Kind.VERIFICATION, user=None)

    EmailService.deliver(decoy.pk)

    assert not OutgoingEmail.objects.exists()
    assert not EmailVerificationToken.objects.exists()
    assert mailoutbox == []


def test_a_mail_for_an_unknown_address_is_deleted_unsent(
    api: APIClient, person: User, delivered: Deliver
) -> None:
    api.post(f"{API}/email/resend/", {"email": "nobody@example.org"})

    assert delivered() == []
    assert not OutgoingEmail.objects.exists()


def test_the_database_refuses_a_sent_mail_without_a_time(person: User) -> None:
    queue_mail(user=person)

    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingEmail.objects.update(status="sent")
