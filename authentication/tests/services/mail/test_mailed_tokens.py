"""Tokens in mails."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage, EmailMultiAlternatives
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import EmailVerificationToken, OutgoingEmail, User
from authentication.services import EmailService
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, deliver_due, token_in
from authentication.utils.crypto import digest

from .outbox_mails import Kind, queue_mail

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_a_token_is_created_when_its_mail_is_sent_and_stored_hashed(
    time_machine: TimeMachineFixture, newcomer: User, mailoutbox: list[EmailMessage]
) -> None:
    mail = queue_mail(Kind.VERIFICATION, user=newcomer)
    assert not EmailVerificationToken.objects.exists()
    time_machine.shift(3600)

    deliver_due()

    token, stored = token_in(mailoutbox[0]), EmailVerificationToken.objects.get()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert (stored.token, stored.email) == (digest(token), newcomer.email)
    assert stored.expires_at == NOON + dt.timedelta(hours=25)
    mail.refresh_from_db()
    assert token not in str(OutgoingEmail.objects.values().get())


def test_the_link_follows_the_setting_in_text_and_html(
    newcomer: User, mailoutbox: list[EmailMessage], settings: Settings
) -> None:
    settings.EMAIL_VERIFICATION_URL = "https://www.example.org/#/verify/{token}/now"
    queue_mail(Kind.VERIFICATION, user=newcomer)

    deliver_due()

    (message,) = mailoutbox
    assert isinstance(message, EmailMultiAlternatives)
    (link,) = set(
        re.findall(r"https://www\.example\.org/#/verify/[\w-]{43}/now", str(message.body))
    )
    assert link in str(message.alternatives[0][0])
    assert EmailVerificationToken.objects.get().token == digest(link.split("/")[-2])


def test_a_newer_mail_voids_the_older_token(
    api: APIClient, newcomer: User, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(2):
        EmailService.deliver(queue_mail(Kind.VERIFICATION, user=newcomer).pk)
    older, newer = (token_in(message) for message in mailoutbox)

    answers = [
        api.post(f"{API}/email/verify/", {"token": token}).status_code for token in (older, newer)
    ]

    assert answers == [400, 200]


def test_a_mail_sent_at_the_second_attempt_holds_a_valid_token(
    time_machine: TimeMachineFixture,
    api: APIClient,
    newcomer: User,
    broken_server: Callable[[], None],
    mailoutbox: list[EmailMessage],
) -> None:
    queue_mail(Kind.VERIFICATION, user=newcomer)
    deliver_due()
    broken_server()
    time_machine.shift(30)

    deliver_due()

    assert api.post(f"{API}/email/verify/", {"token": token_in(mailoutbox[0])}).status_code == 200
