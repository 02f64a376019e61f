"""The first steps of staff."""

import pytest
from playwright.sync_api import expect

from .codes import code_of
from .scenes import staff
from .service import App
from .visitors import Visitor

pytestmark = pytest.mark.browser


def test_staff_set_up_a_second_factor_and_are_in_the_admin(visitor: Visitor, app: App) -> None:
    page = visitor.page
    secret = staff(visitor, app)

    page.get_by_label("Enter the code").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on and sign in").click()

    visitor.is_at("Keep your recovery codes")
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="I have kept them: go to the admin").click()
    expect(page.get_by_role("heading", name="Needs a person")).to_be_visible()
    assert len(codes) == 10


def test_a_double_click_shows_the_recovery_codes(visitor: Visitor, app: App) -> None:
    page = visitor.page
    secret = staff(visitor, app)
    page.get_by_label("Enter the code").fill(code_of(secret))

    # A slow double click: the first form is on its way.
    page.evaluate(
        """() => {
          const button = document.querySelector("form button");
          button.click();
          setTimeout(() => button.click(), 20);
        }"""
    )

    visitor.is_at("Keep your recovery codes")


def test_the_sign_in_leads_to_a_new_password(visitor: Visitor) -> None:
    page = visitor.open("/admin/")

    page.get_by_role("link", name="I forgot my password").click()

    visitor.is_at("Ask for a new password")
