"""/account/resend-verification/: the page that mails another verification link."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from authentication.models import User
from authentication.tests.clients import submit_form
from authentication.tests.conftest import Deliver
from authentication.tests.limits import set_limits

URL = "/account/resend-verification/"

pytestmark = pytest.mark.django_db


def test_the_mail_links_to_the_verification_page(
    visitor: Client, newcomer: User, delivered: Deliver
) -> None:
    answer = submit_form(visitor, URL, email=newcomer.email.upper())

    [message] = delivered()
    assert answer.status_code == 200
    assert re.findall(r"<h1>(.*?)</h1>", answer.content.decode()) == ["Check your email"]
    assert message.to == [newcomer.email]
    assert "/account/verify-email/?token=" in message.body


@pytest.mark.security
def test_every_address_gets_the_same_answer(
    visitor: Client, newcomer: User, person: User, delivered: Deliver
) -> None:
    answers = {
        submit_form(visitor, URL, email=email).content
        for email in (newcomer.email, person.email, "nobody@example.org")
    }

    assert len(answers) == 1
    assert [message.to for message in delivered()] == [[newcomer.email]]


def test_the_page_has_the_limit_of_the_api(visitor: Client, settings: Settings) -> None:
    set_limits(settings, email_resend="1/h")

    answers = [submit_form(visitor, URL, email="nobody@example.org") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]


def test_the_home_page_and_the_page_of_an_invalid_link_link_to_the_page(visitor: Client) -> None:
    refused = submit_form(visitor, "/account/verify-email/", {"token": "invalid"})

    for page in (visitor.get("/"), refused):
        assert f'href="{URL}"' in page.content.decode()
