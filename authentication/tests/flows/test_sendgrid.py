"""The requests that the service sends to SendGrid."""

import json

import pytest
from django.utils import timezone
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from authentication.models import OutgoingEmail, User
from authentication.services.mail.outbox import EmailService
from authentication.tests.clients import NOON
from authentication.tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


class TestSending:
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
    def test_a_mail_has_text_and_html_and_no_tracking(self, provider: HTTPServer) -> None:
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
    def test_a_refused_mail_is_tried_again_later(
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
