"""From the registration to a session that lasts."""

import pytest
from playwright.sync_api import expect

from .conftest import Visit
from .service import PASSWORD, App, unique_address
from .visitors import Visitor, weight

pytestmark = pytest.mark.browser


def sign_up(visitor: Visitor, address: str) -> None:
    page = visitor.open("/account/sign-up/")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("First name").fill("Ruth")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    visitor.is_at("Check your email")
    expect(page.locator("#page")).to_contain_text(f"We sent a link to {address}.")


def open_mailed_link(visitor: Visitor, address: str) -> None:
    visitor.page.goto(visitor.service.link(address, "verify-email"))
    visitor.is_at("Confirm your email address")
    visitor.page.get_by_role("button", name="Confirm address").click()


def test_a_new_member_is_signed_in_by_the_link_and_a_reload_keeps_the_session(
    visitor: Visitor,
) -> None:
    address = unique_address("naomi")
    sign_up(visitor, address)

    open_mailed_link(visitor, address)

    visitor.is_at("Email address confirmed")
    assert "exchange_token" not in visitor.page.url
    visitor.page.get_by_role("link", name="Go to your account").click()
    visitor.is_at("Your account")
    visitor.page.reload()
    visitor.is_at("Your account")
    expect(visitor.page.locator("#page")).to_contain_text("Hello Ruth")
    assert visitor.refused == []


def test_a_mistyped_address_is_corrected_and_the_mail_is_sent_there(visitor: Visitor) -> None:
    wrong, right = unique_address("orpah"), unique_address("orpah")
    sign_up(visitor, wrong)
    page = visitor.page

    page.get_by_text("Nothing came?").click()
    page.get_by_label("Your right email address").fill(right)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Correct the address").click()

    expect(page.locator("#page")).to_contain_text(f"We sent a link to {right}.")
    open_mailed_link(visitor, right)
    visitor.is_at("Email address confirmed")


def test_the_link_is_sent_again_on_request(visitor: Visitor) -> None:
    address = unique_address("boaz")
    sign_up(visitor, address)
    first = visitor.service.link(address, "verify-email")

    visitor.page.get_by_role("button", name="Send the link again").click()

    expect(visitor.page.get_by_role("status")).to_contain_text("We sent it again")
    visitor.page.wait_for_timeout(1500)
    assert visitor.service.link(address, "verify-email") != first


def test_errors_are_shown_at_their_fields(visitor: Visitor) -> None:
    page = visitor.open("/account/sign-up/")
    page.get_by_label("Email address").fill("ruth@")
    page.get_by_label("Password", exact=True).fill("short")

    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Email address")).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".error:visible")).to_have_count(2)
    assert visitor.refused == [(400, "auth/register/")]


def test_the_pages_behind_mailed_links_need_no_script(visit: Visit, app: App) -> None:
    address = unique_address("naomi")
    app.send("POST", "auth/register/", {"email": address, "password": PASSWORD})
    page = visit(java_script_enabled=False).page
    page.goto(app.service.link(address, "verify-email"))

    page.get_by_role("button", name="Confirm address").click()

    expect(page.get_by_role("heading", name="Email address confirmed")).to_be_visible()
    page.get_by_role("link", name="sign in").click()
    expect(page.get_by_text("This page needs JavaScript.")).to_be_visible()
    expect(page.get_by_text("One moment")).to_be_hidden()
    page.get_by_role("link", name="choose a new password").click()
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Mail me a link").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    assert app.log_in(address).status_code == 200


def test_the_first_page_is_light(visitor: Visitor) -> None:
    assert weight(visitor.page, "/account/sign-in/") < 60_000
    assert weight(visitor.tab(), "/account/sign-up/") < 60_000
