"""/account/confirm-email/ and /account/undo-email/: the pages that the two mails link to."""

import pytest
from django.test import Client
from pytest_django import Settings

from authentication.models import User
from authentication.tests.answers import rows, unexpected
from authentication.tests.clients import NOON, page_browser, submit_form

from .email_changes import NEW, Links

CONFIRM, UNDO = "/account/confirm-email/", "/account/undo-email/"

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


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
    first, other = (
        submit_form(browser, CONFIRM, {"token": links.confirm})
        for browser in (visitor, page_browser())
    )
    assert (first.status_code, other.status_code) == (200, 400)
    person.refresh_from_db()
    assert person.email == NEW


def test_the_button_of_the_undo_page_keeps_the_address_and_leads_to_a_new_password(
    visitor: Client, person: User, links: Links, settings: Settings
) -> None:
    old = person.email

    first, other = (
        submit_form(browser, UNDO, {"token": links.undo}) for browser in (visitor, page_browser())
    )

    assert (first.status_code, other.status_code) == (303, 400)
    assert first["Location"].startswith(settings.PASSWORD_RESET_URL.partition("{")[0])
    person.refresh_from_db()
    assert person.email == old
