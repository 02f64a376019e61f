"""What members change on the pages of their account."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from .conftest import Visit
from .scenes import TWO_STEP, turn_on
from .service import NEW_PASSWORD, PASSWORD, App, unique_address
from .visitors import Visitor

pytestmark = pytest.mark.browser


def prove(visitor: Visitor, code: str = "") -> None:
    """Answer the dialog that asks who one is."""
    box = visitor.page.get_by_role("dialog", name="Is it you?")
    box.get_by_label("Your password", exact=True).fill(PASSWORD)
    if code:
        box.get_by_label("Code from your authenticator app").fill(code)
    box.get_by_role("button", name="Continue").click()


def ask_again(route: Route) -> None:
    """Answer as the service does when the proof of identity is too old."""
    refusal = {"code": "reauthentication_required", "detail": "Please prove it."}
    route.fulfill(status=403, json=refusal)


def test_two_step_sign_in_is_set_up_used_and_turned_off(member: Visitor, address: str) -> None:
    page = member.open(TWO_STEP[0])
    turn_on(member)
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("You have 10 recovery codes left.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    member.is_at("Sign in")

    member.sign_in(address, page=page)
    page.get_by_label("Code from your authenticator app").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("That code didn't work.")
    page.get_by_label("Code from your authenticator app").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()

    member.is_at("Your account")
    page.get_by_role("link", name="Two-step sign-in").click()
    expect(page.get_by_text("You have 9 recovery codes left.")).to_be_visible()
    page.route("**/2fa/disable/", ask_again, times=1)
    page.get_by_role("button", name="Turn it off").click()
    page.get_by_role("dialog").get_by_role("button", name="Turn it off").click()
    prove(member, code=codes[1])
    expect(page.get_by_role("status")).to_contain_text("Two-step sign-in is off.")
    assert len(codes) == 10


def test_a_forgotten_password_is_replaced_by_the_mailed_link(
    visitor: Visitor, address: str
) -> None:
    page = visitor.open("/account/sign-in/")
    page.get_by_role("link", name="I forgot my password").click()
    visitor.is_at("Ask for a new password")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Mail me a link").click()
    visitor.is_at("Check your email")

    page.goto(visitor.service.link(address, "reset-password"))
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()

    visitor.is_at("Your password was changed")
    page.get_by_role("link", name="Sign in").click()
    visitor.is_at("Sign in")
    visitor.sign_in(address, NEW_PASSWORD, page=page)
    visitor.is_at("Your account")


def test_a_lock_says_how_long_it_lasts_and_counts_down(visitor: Visitor, address: str) -> None:
    page = visitor.open("/account/sign-in/")
    page.clock.install()
    for _ in range(5):
        visitor.sign_in(address, "Wrong-Horse-9", page=page)
        expect(page.get_by_role("alert")).to_be_visible()
    visitor.sign_in(address, page=page)

    wait = page.get_by_role("timer")
    expect(wait).to_contain_text("You can try again in 30 minutes.")
    page.clock.fast_forward("29:00")
    expect(wait).to_contain_text("seconds.")
    page.clock.fast_forward("01:00")
    expect(wait).to_contain_text("You can try again now.")
    assert (403, "auth/login/") in visitor.refused


def test_a_new_password_keeps_this_device_and_ends_the_others(
    member: Visitor, address: str, app: App
) -> None:
    app.log_in(address)
    other_tab = member.tab()
    other_tab.goto("/account/")
    member.is_at("Your account", other_tab)
    page = member.open("/account/password/")
    page.get_by_label("Your password now").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW_PASSWORD)

    page.get_by_role("button", name="Change password").click()

    expect(page.get_by_role("status")).to_contain_text("Your password is changed.")
    assert app.send("GET", "profiles/me/").status_code == 401
    for tab in (page, other_tab):
        tab.goto("/account/profile/")
        member.is_at("Your profile", tab)


def test_an_address_is_moved_and_moved_back(member: Visitor, address: str, app: App) -> None:
    new = unique_address("new")
    page = member.open("/account/email/")
    page.get_by_label("New email address").fill(new)
    page.get_by_role("button", name="Send a link to this address").click()
    expect(page.get_by_text("Waiting for you to confirm")).to_be_visible()

    page.goto(member.service.link(new, "confirm-email"))
    page.get_by_role("button", name="Use this address").click()
    member.is_at("Email address changed")
    page.get_by_role("link", name="Go to your account").click()
    member.is_at("Your account")
    page.get_by_role("link", name="Your email address").click()
    expect(page.locator("#page")).to_contain_text(f"We write to {new}.")

    page.goto(member.service.link(address, "undo-email"))
    page.get_by_role("button", name="Keep the old address").click()
    member.is_at("Choose a new password")
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    member.is_at("Your password was changed")
    page.get_by_role("link", name="Sign in").click()
    member.sign_in(address, NEW_PASSWORD, page=page)
    member.is_at("Your account")


def test_a_change_of_the_address_is_cancelled(member: Visitor, address: str) -> None:
    page = member.open("/account/email/")
    page.get_by_label("New email address").fill(unique_address("new"))
    page.get_by_role("button", name="Send a link to this address").click()

    page.get_by_role("button", name="Cancel this change").click()

    expect(page.get_by_role("status")).to_contain_text("The change is cancelled.")
    expect(page.locator("#page")).to_contain_text(f"We write to {address}.")


def test_a_profile_is_saved(member: Visitor) -> None:
    page = member.open("/account/profile/")
    page.get_by_label("Last name").fill("<b>Moab</b>")
    page.get_by_label("Who can see your profile").select_option("Members")
    page.get_by_label("Time zone").select_option("Europe/Berlin")

    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_contain_text("Your profile is saved.")
    page.reload()
    expect(page.get_by_label("Last name")).to_have_value("<b>Moab</b>")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")


def test_an_old_session_is_asked_for_the_password_before_a_sensitive_change(
    visit: Visit, address: str
) -> None:
    # The link of the verification proves no password.
    member = visit()
    newcomer = unique_address("naomi")
    app = App(member.service)
    app.send("POST", "auth/register/", {"email": newcomer, "password": PASSWORD})
    page = member.page
    page.goto(member.service.link(newcomer, "verify-email"))
    page.get_by_role("button", name="Confirm address").click()
    member.is_at("Email address confirmed")
    page.get_by_role("link", name="Go to your account").click()
    page.get_by_role("link", name="Emails from us").click()
    page.get_by_label("Write to me about sign-ins on new devices and in new countries").uncheck()

    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog", name="Is it you?").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    prove(member)

    expect(page.get_by_role("status")).to_contain_text("We will no longer write about this.")


def test_older_events_are_shown_on_request(member: Visitor, address: str, app: App) -> None:
    for _ in range(10):
        app.log_in(address)
    page = member.open("/account/activity/")
    expect(page.get_by_role("listitem")).to_have_count(20)

    page.get_by_role("button", name="Show older").click()

    expect(page.get_by_text("You created your account.")).to_be_visible()
    expect(page.get_by_role("button", name="Show older")).to_have_count(0)


def test_something_that_was_not_the_member_ends_its_device(
    member: Visitor, address: str, app: App
) -> None:
    app.log_in(address, device_name="Thief")
    page = member.open("/account/activity/")
    of_the_thief = page.get_by_role("listitem").filter(has_text="Thief")

    of_the_thief.get_by_role("button", name="This wasn't me").click()
    page.get_by_role("button", name="It wasn't me").click()

    expect(page.get_by_role("status")).to_contain_text("That device is signed out.")
    assert app.send("GET", "profiles/me/").status_code == 401
    assert member.service.link(address, "reset-password")


def test_a_copy_of_the_data_is_downloaded(member: Visitor, address: str, tmp_path: Path) -> None:
    page = member.open("/account/data/")
    page.get_by_role("button", name="Send me a copy").click()
    expect(page.get_by_role("status")).to_be_visible()

    page.goto(member.service.link(address, "download-export"))
    page.get_by_label("Your password").fill(PASSWORD)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the copy").click()

    download.value.save_as(tmp_path / "copy.json")
    held = json.loads((tmp_path / "copy.json").read_text(encoding="utf-8"))
    assert held["account"]["email"] == address


def test_an_account_is_deleted_and_kept(member: Visitor, address: str) -> None:
    page = member.open("/account/data/")
    other = member.tab()
    other.goto("/account/")
    member.is_at("Your account", other)

    page.get_by_role("button", name="Delete my account").click()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete my account").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete my account").click()
    member.is_at("Sign in")
    expect(page.get_by_role("status")).to_contain_text("Your account will be deleted on")
    member.is_at("Sign in", other)

    member.sign_in(address, page=page)
    page.get_by_role("button", name="Keep my account").click()
    member.is_at("Your account")
