"""The outbox: recipients that the mail server refuses."""

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.mail import bounces
from authentication.tests.api.email_changes import NEW
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import API, bearer, deliver_due

from .outbox_mails import (
    Kind,
    NoSuchMailbox,
    RefusedByPolicy,
    queue_mail,
    refuse_recipients,
    states,
)

DAY = dt.timedelta(days=1)
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_a_mail_to_an_unknown_mailbox_is_not_retried_and_marks_the_account(
    person: User, settings: Settings
) -> None:
    refuse_recipients(settings, NoSuchMailbox)
    User.objects.filter(pk=person.pk).update(email_verified_at=NOON - DAY)
    queue_mail(user=person)

    deliver_due()

    person.refresh_from_db()
    assert states() == [("dead", 1)]
    assert OutgoingEmail.objects.get().last_error == "SMTPRecipientsRefused 550"
    assert person.email_bounced_at == NOON
    assert AuditLog.objects.filter(user=person, event_type="email_bounced").count() == 1


def test_an_account_is_not_marked_without_its_event(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(bounces, "record", fail)

    with pytest.raises(OperationalError):
        bounces.record_bounce(person.pk, at=NOON + DAY)

    # The next bounce marks it and is recorded.
    person.refresh_from_db()
    assert person.email_bounced_at is None


def test_a_refusal_by_policy_is_not_retried_and_does_not_mark_the_account(
    person: User, settings: Settings
) -> None:
    refuse_recipients(settings, RefusedByPolicy)
    User.objects.filter(pk=person.pk).update(email_verified_at=NOON - DAY)
    queue_mail(user=person)

    deliver_due()

    person.refresh_from_db()
    assert states() == [("dead", 1)]
    assert person.email_bounced_at is None


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (450, "queued"),
        (451, "queued"),
        (452, "queued"),
        (552, "queued"),
        (550, "dead"),
        (553, "dead"),
    ],
)
def test_only_a_permanent_reply_ends_the_attempts(
    person: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    refuse_recipients(settings, NoSuchMailbox)
    monkeypatch.setattr(NoSuchMailbox, "reply", (code, b"no"))
    queue_mail(user=person)

    deliver_due()

    assert states() == [(state, 1)]


def test_a_refusal_of_another_address_does_not_mark_the_account(
    person: User, settings: Settings, api: APIClient, signed_in: Tokens
) -> None:
    User.objects.filter(pk=person.pk).update(email_verified_at=NOON - DAY)
    api.post(f"{API}/account/email/", {"email": NEW}, headers=bearer(signed_in["access"]))
    refuse_recipients(settings, NoSuchMailbox)

    OutgoingEmail.objects.filter(kind=Kind.EMAIL_CHANGE_NOTICE).delete()
    deliver_due()

    person.refresh_from_db()
    assert states() == [("dead", 1)]
    assert person.email_bounced_at is None
