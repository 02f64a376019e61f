"""A mail names the request that caused it, by its correlation id."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from authentication.models import OutgoingEmail, User
from authentication.tests.admin.staff import ADMIN_LOGIN
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import PASSWORD, UserFactory

OUTBOX = "/admin/authentication/outgoingemail/"
CAUSE = {"X-Correlation-ID": "Ticket-7"}

pytestmark = pytest.mark.django_db


def ask_for_a_link(api: APIClient, email: str, headers: dict[str, str] | None = None) -> Any:
    return api.post(f"{API}/password/reset/", {"email": email}, headers=headers)


def test_the_row_and_the_mail_carry_the_id_of_the_request(
    api: APIClient, person: User, delivered: Deliver
) -> None:
    answer = ask_for_a_link(api, person.email, CAUSE)

    assert answer["X-Correlation-ID"] == "Ticket-7"
    assert OutgoingEmail.objects.get().correlation_id == "Ticket-7"
    (message,) = delivered()
    assert message.extra_headers["X-Correlation-ID"] == "Ticket-7"


def test_the_mail_about_a_new_device_carries_it_too(api: APIClient, person: User) -> None:
    login = {"email": person.email, "password": PASSWORD}
    for _ in range(2):
        assert APIClient().post(f"{API}/login/", login, headers=CAUSE).status_code == 200

    assert OutgoingEmail.objects.get(kind="new_device").correlation_id == "Ticket-7"


def test_an_unknown_address_leaves_the_same_row(api: APIClient, db: None) -> None:
    ask_for_a_link(api, "nobody@example.org", CAUSE)

    assert OutgoingEmail.objects.get().correlation_id == "Ticket-7"


def test_a_hostile_id_does_not_reach_a_header(
    api: APIClient, person: User, delivered: Deliver
) -> None:
    ask_for_a_link(api, person.email, {"X-Correlation-ID": "a\r\nBcc: x@evil.example"})

    (message,) = delivered()
    assert message.extra_headers["X-Correlation-ID"].isalnum()
    assert "evil.example" not in message.message().as_string()


def test_a_mail_of_no_request_has_no_header(person: User, delivered: Deliver) -> None:
    OutgoingEmail.objects.create(user=person, kind="password_changed", context={})

    (message,) = delivered()
    assert "X-Correlation-ID" not in message.extra_headers


def test_staff_find_the_mails_of_a_request(api: APIClient, client: Client, person: User) -> None:
    ask_for_a_link(api, person.email, CAUSE)
    ask_for_a_link(api, UserFactory().email)
    boss = UserFactory(is_staff=True, is_superuser=True)
    client.post(ADMIN_LOGIN, {"username": boss.email, "password": PASSWORD})

    found = client.get(OUTBOX, {"q": " Ticket-7 "}).context["cl"].result_list

    assert [it.user for it in found] == [person]
