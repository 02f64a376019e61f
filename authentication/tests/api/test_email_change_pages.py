"""/account/confirm-email/ and /account/undo-email/: the pages that the two mails link to."""

import pytest
from django.test import Client
from pytest_django import Settings

from authentication.models import User
from authentication.tests.answers import rows, unexpected
from authentication.tests.clients import NOON, hidden_fields

from .email_changes import NEW, Links

CONFIRM, UNDO = "/account/confirm-email/", "/account/undo-email/"

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def submit_twice(visitor: Client, url: str, token: str) -> tuple[int, str, int]:
    """Return the status and target of the first submission and the status of the second."""
    form = hidden_fields(visitor.get(url, {"token": token}))
    first, second = (
        visitor.post(url, form, headers={"Origin": "http://testserver"}) for _ in range(2)
    )
    return first.status_code, first.get("Location", ""), second.status_code


@pytest.mark.parametrize("url", [CONFIRM, UNDO])
def test_opening_the_page_changes_nothing(client: Client, links: Links, url: str) -> None:
    token = links.confirm if url == CONFIRM else links.undo
    before = rows()

    def outcome(method: str) -> tuple[int, bool]:
        page = getattr(client, method)(url, {"token": token})
        return page.status_code, rows() == before

    assert unexpected(["get", "head", "options"], outcome, (200, True)) == {}


def test_the_button_of_the_confirmation_page_changes_the_address_once(
    visitor: Client, person: User, links: Links
) -> None:
    assert submit_twice(visitor, CONFIRM, links.confirm) == (200, "", 400)
    person.refresh_from_db()
    assert person.email == NEW


def test_the_button_of_the_undo_page_keeps_the_address_and_leads_to_a_new_password(
    visitor: Client, person: User, links: Links, settings: Settings
) -> None:
    old = person.email

    status, target, again = submit_twice(visitor, UNDO, links.undo)

    assert (status, again) == (302, 400)
    assert target.startswith(settings.PASSWORD_RESET_URL.partition("{")[0])
    person.refresh_from_db()
    assert person.email == old
