"""What the mail provider reports about mails, and which mails follow."""

import base64
import datetime as dt
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.mail.message import NOTICES
from authentication.services.mail.outbox import EmailService
from authentication.tests.answers import comparable, problem_code, rows
from authentication.tests.clients import NOON
from authentication.tests.conftest import API

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


URL = f"{API}/mail-events/sendgrid/"


@pytest.fixture
def key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """Return the provider's private key; the settings hold its public key."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    settings.SENDGRID_WEBHOOK_KEY = base64.b64encode(public).decode()
    return private


def send_events(
    api: APIClient,
    key: ec.EllipticCurvePrivateKey,
    *events: Any,
    at: dt.datetime = NOON,
    body: bytes | None = None,
) -> Any:
    """Send events with the provider's signature; return the answer."""
    payload, stamp = (
        body if body is not None else json.dumps(list(events)).encode(),
        str(int(at.timestamp())),
    )
    signature = base64.b64encode(
        key.sign(stamp.encode() + payload, ec.ECDSA(hashes.SHA256()))
    ).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
    }
    return api.post(URL, payload, content_type="application/json", headers=headers)


def event(kind: str, address: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "email": address,
        "timestamp": int((NOON + dt.timedelta(minutes=1)).timestamp()),
        **more,
    }


def marks_of(person: User) -> tuple[bool, bool]:
    """Return whether the address bounced and whether its owner complained."""
    person.refresh_from_db()
    return person.email_bounced_at is not None, person.email_complained_at is not None


class TestEvents:
    @pytest.mark.parametrize(
        ("event_fields", "marks"),
        [
            ({"kind": "bounce", "type": "bounce"}, (True, False)),
            ({"kind": "bounce", "type": "blocked"}, (False, False)),
            ({"kind": "dropped", "reason": "Bounced Address"}, (True, False)),
            ({"kind": "dropped", "reason": "Invalid"}, (True, False)),
            ({"kind": "dropped", "reason": "Spam Content"}, (False, False)),
            ({"kind": "spamreport"}, (False, True)),
            ({"kind": "delivered"}, (False, False)),
            ({"kind": "deferred"}, (False, False)),
            ({"kind": "something new"}, (False, False)),
        ],
    )
    def test_bounces_and_complaints_mark_the_account(
        self,
        api: APIClient,
        person: User,
        key: Any,
        event_fields: dict[str, str],
        marks: tuple[bool, bool],
    ) -> None:
        answer = send_events(
            api, key, event(event_fields.pop("kind"), person.email.upper(), **event_fields)
        )

        assert (answer.status_code, answer.content) == (204, b"")
        assert marks_of(person) == marks
        assert AuditLog.objects.filter(
            event_type__in=["email_bounced", "email_complained"]
        ).count() == any(marks)

    def test_a_repeated_event_is_stored_once(self, api: APIClient, person: User, key: Any) -> None:
        for _ in range(2):
            send_events(api, key, event("bounce", person.email), event("bounce", person.email))

        assert AuditLog.objects.filter(event_type="email_bounced").count() == 1

    def test_an_event_older_than_the_verification_is_ignored(
        self, api: APIClient, person: User, key: Any
    ) -> None:
        User.objects.filter(pk=person.pk).update(email_verified_at=NOON + dt.timedelta(minutes=2))

        send_events(api, key, event("bounce", person.email))

        assert marks_of(person) == (False, False)

    def test_known_and_unknown_addresses_get_the_same_answer(
        self, api: APIClient, person: User, key: Any
    ) -> None:
        known, unknown = (
            send_events(api, key, event("bounce", it))
            for it in (person.email, "nobody@example.org")
        )

        assert comparable(known) == comparable(unknown)

    def test_a_batch_may_be_larger_than_other_bodies(
        self, api: APIClient, person: User, key: Any
    ) -> None:
        many = [
            event("delivered", f"p{number}@example.org", filler="x" * 100) for number in range(1000)
        ]

        assert send_events(api, key, *many, event("bounce", person.email)).status_code == 204
        assert marks_of(person) == (True, False)

    def test_a_batch_over_a_megabyte_is_refused(self, api: APIClient, key: Any) -> None:
        assert send_events(api, key, body=b"[" + b" " * 1024 * 1024 + b"]").status_code == 413

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"x",
            b"{}",
            b"[1]",
            b"[{}]",
            b'[{"event": 7}]',
            b"[" * 100_000,
            b'[{"event": "bounce", "email": 7}]',
        ],
    )
    def test_malformed_events_are_refused_or_ignored(
        self, api: APIClient, key: Any, body: bytes
    ) -> None:
        assert send_events(api, key, body=body).status_code in {204, 400}

    @pytest.mark.parametrize("minutes", [-11, 11])
    def test_an_old_signature_is_refused(
        self, api: APIClient, person: User, key: Any, minutes: int
    ) -> None:
        answer = send_events(
            api, key, event("bounce", person.email), at=NOON + dt.timedelta(minutes=minutes)
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert marks_of(person) == (False, False)

    def test_another_signature_is_refused(self, api: APIClient, person: User, key: Any) -> None:
        before = rows()

        answers = [
            send_events(
                api, ec.generate_private_key(ec.SECP256R1()), event("bounce", person.email)
            ),
            api.post(URL, [event("bounce", person.email)]),
            api.post(
                URL,
                b"[]",
                content_type="application/json",
                headers={"X-Twilio-Email-Event-Webhook-Signature": "x"},
            ),
        ]

        assert [answer.status_code for answer in answers] == [403] * 3
        assert rows() == before

    def test_the_endpoint_needs_a_key_in_the_settings(
        self, api: APIClient, key: Any, settings: Settings
    ) -> None:
        settings.SENDGRID_WEBHOOK_KEY = ""

        answer = send_events(api, key, event("bounce", "a@example.org"))

        assert problem_code(answer) == "not_found"


class TestSuppression:
    def send(self, person: User, kind: str) -> str:
        mail = OutgoingEmail.objects.create(user=person, kind=kind)
        EmailService.deliver(mail.pk)
        mail.refresh_from_db()
        return mail.status

    @pytest.mark.parametrize(
        "field", ["email_bounced_at", "email_complained_at", "notices_stopped_at"]
    )
    def test_a_marked_account_gets_only_security_mails(self, person: User, field: str) -> None:
        User.objects.filter(pk=person.pk).update(**{field: NOON})
        person.refresh_from_db()

        assert {kind: self.send(person, kind) for kind in NOTICES} == dict.fromkeys(
            NOTICES, "suppressed"
        )
        assert self.send(person, "password_reset") == "sent"
        assert self.send(person, "account_locked") == "sent"

    def test_a_new_verification_clears_the_marks(self, api: APIClient, person: User) -> None:
        User.objects.filter(pk=person.pk).update(email_bounced_at=NOON, email_complained_at=NOON)

        User.objects.verify_email(person.pk, at=NOON + dt.timedelta(hours=1))

        assert marks_of(person) == (False, False)
