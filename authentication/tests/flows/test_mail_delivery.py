"""What the mail provider is sent, what it says became of it, and what a person is spared then."""

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.mail import EmailMessage
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.mail.outbox import NOTICES, EmailService
from authentication.services.mail.unsubscribe import unsubscribe_token
from authentication.tests.answers import refusal_of, rows
from authentication.tests.clients import NOON, Tokens
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory

URL = f"{API}/mail-events/sendgrid/"
PAGE = "/account/unsubscribe/"
NOTICES_URL = f"{API}/account/notices/"

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture
def key(settings: Settings) -> ec.EllipticCurvePrivateKey:
    """Return the provider's private key, whose public one the settings know."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    settings.SENDGRID_WEBHOOK_KEY = base64.b64encode(public).decode()
    return private


def tell(
    api: APIClient,
    key: ec.EllipticCurvePrivateKey,
    *events: Any,
    at: dt.datetime = NOON,
    body: bytes | None = None,
) -> Any:
    """Return the answer to events as the provider signs and sends them."""
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


def marks(person: User) -> tuple[bool, bool]:
    person.refresh_from_db()
    return person.email_bounced_at is not None, person.email_complained_at is not None


class TestEvents:
    @pytest.mark.parametrize(
        ("told", "marked"),
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
        told: dict[str, str],
        marked: tuple[bool, bool],
    ) -> None:
        answer = tell(api, key, event(told.pop("kind"), person.email.upper(), **told))

        assert (answer.status_code, answer.content) == (204, b"")
        assert marks(person) == marked
        assert AuditLog.objects.filter(
            event_type__in=["email_bounced", "email_complained"]
        ).count() == any(marked)

    def test_what_is_told_twice_is_noted_once(self, api: APIClient, person: User, key: Any) -> None:
        for _ in range(2):
            tell(api, key, event("bounce", person.email), event("bounce", person.email))

        assert AuditLog.objects.filter(event_type="email_bounced").count() == 1

    def test_what_is_older_than_the_last_proof_of_the_address_is_past(
        self, api: APIClient, person: User, key: Any
    ) -> None:
        User.objects.filter(pk=person.pk).update(email_verified_at=NOON + dt.timedelta(minutes=2))

        tell(api, key, event("bounce", person.email))

        assert marks(person) == (False, False)

    def test_nobody_learns_who_is_a_member(self, api: APIClient, person: User, key: Any) -> None:
        known, unknown = (
            tell(api, key, event("bounce", it)) for it in (person.email, "nobody@example.org")
        )

        def told(answer: Any) -> Any:
            ours = {"X-Correlation-ID", "X-Response-Time", "Server-Timing"}
            return (
                answer.status_code,
                answer.content,
                {k: v for k, v in answer.headers.items() if k not in ours},
            )

        assert told(known) == told(unknown)

    def test_a_batch_may_be_larger_than_a_clients_body(
        self, api: APIClient, person: User, key: Any
    ) -> None:
        many = [
            event("delivered", f"p{number}@example.org", filler="x" * 100) for number in range(1000)
        ]

        assert tell(api, key, *many, event("bounce", person.email)).status_code == 204
        assert marks(person) == (True, False)

    def test_but_not_endless(self, api: APIClient, key: Any) -> None:
        assert tell(api, key, body=b"[" + b" " * 1024 * 1024 + b"]").status_code == 413

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
    def test_what_makes_no_sense_is_refused_or_left_alone(
        self, api: APIClient, key: Any, body: bytes
    ) -> None:
        assert tell(api, key, body=body).status_code in {204, 400}

    @pytest.mark.parametrize("minutes", [-11, 11])
    def test_an_old_signature_is_refused(
        self, api: APIClient, person: User, key: Any, minutes: int
    ) -> None:
        answer = tell(
            api, key, event("bounce", person.email), at=NOON + dt.timedelta(minutes=minutes)
        )

        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert marks(person) == (False, False)

    def test_another_signature_is_refused(self, api: APIClient, person: User, key: Any) -> None:
        before = rows()

        answers = [
            tell(api, ec.generate_private_key(ec.SECP256R1()), event("bounce", person.email)),
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

    def test_without_a_key_it_is_not_there(
        self, api: APIClient, key: Any, settings: Settings
    ) -> None:
        settings.SENDGRID_WEBHOOK_KEY = ""

        assert refusal_of(tell(api, key, event("bounce", "a@example.org")))["code"] == "not_found"


class TestWhoeverCannotBeReached:
    def send(self, person: User, kind: str) -> str:
        mail = OutgoingEmail.objects.create(user=person, kind=kind)
        EmailService.deliver(mail.pk)
        mail.refresh_from_db()
        return mail.status

    @pytest.mark.parametrize(
        "field", ["email_bounced_at", "email_complained_at", "notices_stopped_at"]
    )
    def test_is_sent_security_mail_alone(self, person: User, field: str) -> None:
        User.objects.filter(pk=person.pk).update(**{field: NOON})
        person.refresh_from_db()

        assert {kind: self.send(person, kind) for kind in NOTICES} == dict.fromkeys(
            NOTICES, "suppressed"
        )
        assert self.send(person, "password_reset") == "sent"
        assert self.send(person, "account_locked") == "sent"

    def test_is_reached_again_once_the_address_is_proven_anew(
        self, api: APIClient, person: User
    ) -> None:
        User.objects.filter(pk=person.pk).update(email_bounced_at=NOON, email_complained_at=NOON)

        User.objects.verify_email(person.pk, at=NOON + dt.timedelta(hours=1))

        assert marks(person) == (False, False)


class TestUnsubscribing:
    @pytest.mark.parametrize("kind", ["new_device", "password_reset"])
    def test_what_is_not_security_mail_can_be_ended_with_one_click(
        self, person: User, delivered: Deliver, settings: Settings, kind: str
    ) -> None:
        OutgoingEmail.objects.create(user=person, kind=kind)

        headers = delivered()[0].extra_headers

        offered = "List-Unsubscribe" in headers
        assert offered == (kind in NOTICES)
        if offered:
            assert headers["List-Unsubscribe"].startswith(f"<{settings.BACKEND_URL}{PAGE}?token=")
            assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_a_mail_program_presses_it_without_a_page(self, person: User) -> None:
        visitor = Client(enforce_csrf_checks=True)

        answer = visitor.post(
            f"{PAGE}?token={unsubscribe_token(person.pk)}", {"List-Unsubscribe": "One-Click"}
        )

        person.refresh_from_db()
        assert answer.status_code == 200
        assert person.notices_stopped_at == NOON
        assert AuditLog.objects.get().event_type == "notices_changed"

    def test_a_person_presses_a_button(self, person: User) -> None:
        visitor = Client(enforce_csrf_checks=True)
        page = visitor.get(PAGE, {"token": unsubscribe_token(person.pk)}).content.decode()
        fields = dict(re.findall(r'name="(token)" value="([^"]*)"', page))
        person.refresh_from_db()
        assert person.notices_stopped_at is None

        assert visitor.post(PAGE, fields).status_code == 200
        person.refresh_from_db()
        assert person.notices_stopped_at == NOON

    def test_too_many_tries_are_told_so(self, person: User, settings: Settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "notices": "1/h"}
        Client().post(PAGE, {"token": unsubscribe_token(person.pk)})
        User.objects.update(notices_stopped_at=None)

        answer = Client().post(PAGE, {"token": unsubscribe_token(person.pk)})

        assert answer.status_code == 429
        assert "<h1>Please try again later</h1>" in answer.content.decode()
        assert not User.objects.exclude(notices_stopped_at=None).exists()

    @pytest.mark.parametrize("token", ["", "x", "x:y:z", unsubscribe_token.__doc__ or ""])
    def test_a_token_of_nobodys_does_nothing(self, person: User, token: str) -> None:
        assert Client().post(PAGE, {"token": token}).status_code == 400
        assert not User.objects.exclude(notices_stopped_at=None).exists()

    def test_a_provider_presses_many_peoples_links_from_one_address(
        self, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "notices": "1/h"}
        links = [f"{PAGE}?token={unsubscribe_token(UserFactory().pk)}" for _ in range(3)]

        first, again = ([Client().post(link).status_code for link in links] for _ in range(2))

        assert (first, again) == ([200] * 3, [429] * 3)
        assert not User.objects.filter(notices_stopped_at=None).exists()

    def test_links_of_nobodys_are_counted_by_the_address(self, settings: Settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "notices": "1/h"}

        first, second = (Client().post(PAGE, {"token": token}) for token in ("x", "y"))

        assert (first.status_code, second.status_code) == (400, 429)
        assert int(second["Retry-After"]) > 0

    def test_in_the_account_they_are_turned_on_again(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        headers = bearer(signed_in["access"])
        answers = [
            api.put(NOTICES_URL, {"notices": wanted}, headers=headers).json()
            for wanted in (False, True)
        ]

        assert answers == [{"notices": False}, {"notices": True}]
        assert api.get(NOTICES_URL, headers=headers).json() == {"notices": True}
        assert AuditLog.objects.filter(event_type="notices_changed").count() == 2

    @pytest.mark.parametrize("body", [{}, {"notices": None}, {"notices": "yes"}, {"notices": 1}])
    def test_anything_else_is_refused(
        self, api: APIClient, signed_in: Tokens, body: dict[str, Any]
    ) -> None:
        answer = api.put(NOTICES_URL, body, headers=bearer(signed_in["access"]))

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


class TestWhatTheProviderIsSent:
    @pytest.fixture
    def provider(self, settings: Settings, httpserver: HTTPServer) -> HTTPServer:
        settings.EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
        settings.ANYMAIL = {
            **settings.ANYMAIL,
            "SENDGRID_API_KEY": "not-a-key",
            "SENDGRID_API_URL": httpserver.url_for("/v3/"),
        }
        return httpserver

    @pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
    def test_text_and_html_to_the_address_and_no_tracking_of_links(
        self, provider: HTTPServer
    ) -> None:
        person = UserFactory(email="R.uth@example.org")
        provider.expect_request("/v3/mail/send", method="POST").respond_with_data("", status=202)
        mail = OutgoingEmail.objects.create(user=person, kind="password_reset")

        EmailService.deliver(mail.pk)

        mail.refresh_from_db()
        (request, _) = provider.log[0]
        sent = request.get_json()
        assert (mail.status, mail.last_error) == ("sent", "")
        assert sent["personalizations"][0]["to"] == [{"email": "R.uth@example.org"}]
        assert [part["type"] for part in sent["content"]] == ["text/plain", "text/html"]
        tracking = ("click_tracking", "open_tracking", "subscription_tracking", "ganalytics")
        assert sent["tracking_settings"] == {name: {"enable": False} for name in tracking}
        assert str(person.pk) not in json.dumps(sent)

    @pytest.mark.filterwarnings("ignore:django-anymail has dropped official support")
    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    def test_a_refusal_is_tried_again_later(
        self, provider: HTTPServer, person: User, status: int
    ) -> None:
        provider.expect_request("/v3/mail/send", method="POST").respond_with_data(
            "no", status=status
        )
        mail = OutgoingEmail.objects.create(user=person, kind="password_reset")

        EmailService.deliver(mail.pk)

        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("queued", 1)
        assert mail.next_attempt_at > timezone.now()
        assert person.email not in mail.last_error
