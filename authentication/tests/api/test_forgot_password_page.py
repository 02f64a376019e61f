"""/account/forgot-password/ and /account/resend-verification/: where people ask for mail who have no front end."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from authentication.models import OutgoingEmail, User
from authentication.tests.conftest import CHROME
from authentication.tests.factories import UserFactory

URL = "/account/forgot-password/"
RESEND = "/account/resend-verification/"

Deliver = Callable[[], list[EmailMessage]]

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor() -> Client:
    """Return a browser whose forms need Django's CSRF token."""
    return Client(enforce_csrf_checks=True, headers={"User-Agent": CHROME})


def ask(visitor: Client, email: str, url: str = URL) -> Any:
    """Open the page and send its form, as a browser does."""
    page = visitor.get(url).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return visitor.post(url, {**hidden, "email": email}, headers={"Origin": "http://testserver"})


def headings(answer: Any) -> list[str]:
    return re.findall(r"<h1>(.*?)</h1>", answer.content.decode())


def test_the_mail_leads_to_the_form_for_a_new_password(
    visitor: Client, person: User, delivered: Deliver
) -> None:
    answer = ask(visitor, person.email.upper())

    [message] = delivered()
    assert (answer.status_code, headings(answer)) == (200, ["Check your email"])
    assert (message.to, message.subject) == ([person.email], "Reset your password")
    assert "/account/reset-password/?token=" in message.body


@pytest.mark.security
def test_nobody_learns_who_has_an_account(
    visitor: Client, person: User, delivered: Deliver
) -> None:
    known, unknown = ask(visitor, person.email), ask(visitor, "nobody@example.org")

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert [message.to for message in delivered()] == [[person.email]]


@pytest.mark.parametrize("typed", ["", "ruth", "ruth@", 'a"b@example.org<script>'])
def test_what_is_no_address_is_shown_again_with_the_reason(visitor: Client, typed: str) -> None:
    answer = ask(visitor, typed)

    assert (answer.status_code, headings(answer)) == (400, ["Ask for a new password"])
    assert re.search(r"<li>[^<]+</li>", answer.content.decode())
    assert b"<script" not in answer.content
    assert not OutgoingEmail.objects.exists()


def test_the_limit_is_that_of_the_api(visitor: Client, person: User, settings: Settings) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "password_reset": "1/h"}

    ask(visitor, person.email)
    answer = ask(visitor, person.email)

    assert (answer.status_code, headings(answer)) == (429, ["Please try again later"])
    assert int(answer["Retry-After"]) > 0
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.security
def test_another_sites_form_is_refused(visitor: Client, person: User) -> None:
    answer = visitor.post(URL, {"email": person.email}, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert not OutgoingEmail.objects.exists()


def test_the_home_page_and_a_dead_link_lead_here(visitor: Client) -> None:
    dead = visitor.get("/account/reset-password/", {"token": "dead"}).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', dead))
    typed = {"new_password": "Another-Horse-7", "new_password_confirm": "Another-Horse-7"}

    refused = visitor.post(
        "/account/reset-password/", {**hidden, **typed}, headers={"Origin": "http://testserver"}
    )

    for page in (visitor.get("/"), refused):
        assert f'href="{URL}"' in page.content.decode()


class TestAskingForAnotherVerificationLink:
    def test_the_mail_leads_to_the_button_that_proves_the_address(
        self, visitor: Client, delivered: Deliver
    ) -> None:
        newcomer = UserFactory(email_verified=False, email_verified_at=None)

        answer = ask(visitor, newcomer.email.upper(), RESEND)

        [message] = delivered()
        assert (answer.status_code, headings(answer)) == (200, ["Check your email"])
        assert message.to == [newcomer.email]
        assert "/account/verify-email/?token=" in message.body

    @pytest.mark.security
    def test_nobody_learns_who_waits(
        self, visitor: Client, person: User, delivered: Deliver
    ) -> None:
        newcomer = UserFactory(email_verified=False, email_verified_at=None)

        answers = {
            ask(visitor, email, RESEND).content
            for email in (newcomer.email, person.email, "nobody@example.org")
        }

        assert len(answers) == 1
        assert [message.to for message in delivered()] == [[newcomer.email]]

    def test_the_limit_is_that_of_the_api(self, visitor: Client, settings: Settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "email_resend": "1/h"}

        statuses = [ask(visitor, "nobody@example.org", RESEND).status_code for _ in range(2)]

        assert statuses == [200, 429]

    def test_the_home_page_and_a_dead_link_lead_there(self, visitor: Client) -> None:
        page = visitor.get("/account/verify-email/", {"token": "dead"}).content.decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))

        dead = visitor.post(
            "/account/verify-email/", hidden, headers={"Origin": "http://testserver"}
        )

        for shown in (visitor.get("/"), dead):
            assert f'href="{RESEND}"' in shown.content.decode()


def test_the_form_for_a_new_password_says_how_long_it_must_be(
    visitor: Client, settings: Settings
) -> None:
    settings.PASSWORD_MIN_LENGTH = 14

    assert (
        b"Use 14 characters or more"
        in visitor.get("/account/reset-password/", {"token": "x"}).content
    )
