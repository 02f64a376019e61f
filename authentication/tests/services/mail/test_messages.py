"""The bytes of mails, as a mail server gets them."""

import email
from email import policy
from email.message import EmailMessage as Parsed

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail, User, UserSession
from authentication.tests.clients import sign_in
from authentication.tests.conftest import Deliver

from .outbox_mails import Kind, queue_mail

pytestmark = pytest.mark.django_db

WORDS = "Ελένη‘s Gerät"  # noqa: RUF001 -- typographic


@pytest.fixture
def sent(api: APIClient, person: User, delivered: Deliver) -> list[EmailMessage]:
    """Return one mail of each kind that needs no rows of its own, with names outside ASCII."""
    person.first_name = "Ελένη"
    person.save()
    tokens = sign_in(api, person, device_name=WORDS)
    session = str(UserSession.objects.get(user=person).pk)
    assert tokens
    for kind in Kind.values:
        queue_mail(
            kind,
            user=person,
            session=session,
            when="2026-11-22T12:00:00+00:00",
            due="2026-12-06T12:00:00+00:00",
        )
    mails = delivered()
    assert len(mails) > len(Kind.values) / 2
    return mails


def test_every_mail_is_quoted_printable_in_short_lines_of_ascii(sent: list[EmailMessage]) -> None:
    for message in sent:
        raw = message.message().as_bytes()
        parts = [it for it in email.message_from_bytes(raw).walk() if not it.is_multipart()]

        assert raw.isascii()
        assert max(map(len, raw.split(b"\n"))) <= 998
        assert {it["Content-Transfer-Encoding"] for it in parts} == {"quoted-printable"}
        for it in parts:
            assert all(len(line) <= 76 for line in str(it.get_payload()).splitlines())


def test_a_mail_reads_as_it_was_written(sent: list[EmailMessage]) -> None:
    (message,) = [it for it in sent if "New sign-in" in it.subject]
    raw = message.message().as_bytes()

    parsed = email.message_from_bytes(raw, _class=Parsed, policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == str(message.body).strip()
    assert f'"{WORDS}"' in body.get_content()


def test_message_ids_have_the_domain_of_the_sender_and_differ(
    sent: list[EmailMessage], settings: Settings
) -> None:
    ids = {str(message.message()["Message-ID"]) for message in sent}

    assert len(ids) == len(sent)
    domain = settings.DEFAULT_FROM_EMAIL.rstrip(">").rpartition("@")[2]
    assert all(it.endswith(f"@{domain}>") for it in ids)


def test_the_domain_of_a_message_id_is_ascii(
    person: User, settings: Settings, delivered: Deliver
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Weinberg <info@weinbärg.example>"
    queue_mail(user=person)

    (message,) = delivered()

    assert message.extra_headers["Message-ID"].endswith("@xn--weinbrg-9wa.example>")
    assert OutgoingEmail.objects.get().status == "sent"


def test_bounces_go_to_the_sender_of_the_envelope(
    person: User, settings: Settings, delivered: Deliver
) -> None:
    settings.EMAIL_ENVELOPE_SENDER = "noreply@example.org"
    queue_mail(user=person)

    (message,) = delivered()

    assert message.from_email == "noreply@example.org"
    headers = message.message()
    assert headers["From"] == settings.DEFAULT_FROM_EMAIL
    assert headers["Reply-To"] == settings.SUPPORT_EMAIL
