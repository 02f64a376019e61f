"""/account/forgot-password/: the page that mails a reset link."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from authentication.models import OutgoingEmail, User
from authentication.tests.answers import unexpected
from authentication.tests.clients import EVIL, NEW_PASSWORD, submit_form
from authentication.tests.conftest import Deliver
from authentication.tests.limits import set_limits

URL = "/account/forgot-password/"
RESET = "/account/reset-password/"

pytestmark = pytest.mark.django_db


def headings(answer: Any) -> list[str]:
    return re.findall(r"<h1>(.*?)</h1>", answer.content.decode())


def test_the_mail_links_to_the_form_for_a_new_password(
    visitor: Client, person: User, delivered: Deliver
) -> None:
    answer = submit_form(visitor, URL, email=person.email.upper())

    [message] = delivered()
    assert (answer.status_code, headings(answer)) == (200, ["Look into your mail"])
    assert (message.to, message.subject) == ([person.email], "Reset your password")
    assert "/account/reset-password/?token=" in message.body


@pytest.mark.security
def test_known_and_unknown_addresses_get_the_same_answer(
    visitor: Client, person: User, delivered: Deliver
) -> None:
    known, unknown = (
        submit_form(visitor, URL, email=person.email),
        submit_form(visitor, URL, email="nobody@example.org"),
    )

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert [message.to for message in delivered()] == [[person.email]]


def test_an_invalid_address_shows_the_form_again_with_the_reason(visitor: Client) -> None:
    def outcome(typed: str) -> tuple[int, list[str], bool, bool]:
        answer = submit_form(visitor, URL, email=typed)
        text = answer.content.decode()
        reason = re.search(r"<li>[^<]+</li>", text)
        return answer.status_code, headings(answer), reason is not None, "<script" in text

    typed = ["", "ruth", "ruth@", 'a"b@example.org<script>']
    assert unexpected(typed, outcome, (400, ["Ask for a new password"], True, False)) == {}
    assert not OutgoingEmail.objects.exists()


def test_the_page_has_the_limit_of_the_api(
    visitor: Client, person: User, settings: Settings
) -> None:
    set_limits(settings, password_reset="1/h")

    submit_form(visitor, URL, email=person.email)
    answer = submit_form(visitor, URL, email=person.email)

    assert (answer.status_code, headings(answer)) == (429, ["Please try again later"])
    assert int(answer["Retry-After"]) > 0
    assert OutgoingEmail.objects.count() == 1


@pytest.mark.security
def test_the_form_of_another_site_is_refused(visitor: Client, person: User) -> None:
    answer = visitor.post(URL, {"email": person.email}, headers={"Origin": EVIL})

    assert answer.status_code == 403
    assert not OutgoingEmail.objects.exists()


def test_the_home_page_and_the_page_of_an_invalid_link_link_to_the_page(visitor: Client) -> None:
    typed = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}

    refused = submit_form(visitor, RESET, {"token": "invalid"}, **typed)

    for page in (visitor.get("/"), refused):
        assert f'href="{URL}"' in page.content.decode()


def test_the_form_for_a_new_password_shows_the_minimum_length(
    visitor: Client, settings: Settings
) -> None:
    settings.PASSWORD_MIN_LENGTH = 14

    page = visitor.get(RESET, {"token": "x"})

    assert b"Use 14 characters or more" in page.content
