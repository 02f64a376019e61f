"""Every page of the front end in each of its states, and the way there."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from authentication.tests.clients import WELCOME

from .codes import code_of
from .service import PASSWORD, App, unique_address
from .visitors import Visitor

Scene = Callable[[Visitor, App], object]


def member(visitor: Visitor, app: App) -> str:
    """Sign in with a new account; return its address."""
    address = unique_address("ruth")
    app.register(address, first_name="Ruth", display_name="Ruth M.")
    app.log_in(address)
    visitor.sign_in(address)
    visitor.is_at("Your account")
    return address


def at(path: str, title: str) -> Scene:
    """Return a scene: a page without a session."""

    def enter(visitor: Visitor, app: App) -> None:
        visitor.open(path)
        visitor.is_at(title)

    return enter


def within(path: str, title: str, then: Callable[[Visitor], object] | None = None) -> Scene:
    """Return a scene: a page of a member, and what is done there."""

    def enter(visitor: Visitor, app: App) -> None:
        member(visitor, app)
        visitor.open(path)
        visitor.is_at(title)
        if then:
            then(visitor)

    return enter


def press(name: str) -> Callable[[Visitor], None]:
    """Return what presses the first button of a name."""

    def do(visitor: Visitor) -> None:
        visitor.page.get_by_role("button", name=name).first.click()

    return do


def refused_sign_in(visitor: Visitor, app: App) -> None:
    visitor.sign_in(unique_address("nobody"))
    expect(visitor.page.get_by_role("alert")).to_be_visible()


def locked_sign_in(visitor: Visitor, app: App) -> None:
    address = unique_address("mahlon")
    for _ in range(5):
        app.log_in(address)
    visitor.sign_in(address)
    expect(visitor.page.get_by_role("timer")).to_be_visible()


def refused_sign_up(visitor: Visitor, app: App) -> None:
    page = visitor.open("/account/sign-up/")
    page.get_by_label("Email address").fill("ruth@")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".error:visible")).to_have_count(2)


def checking_mail(visitor: Visitor, app: App) -> None:
    page = visitor.open("/account/sign-up/")
    page.get_by_label("Email address").fill(unique_address("orpah"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    visitor.is_at("Check your email")
    page.get_by_text("Nothing came?").click()


def welcomed(visitor: Visitor, app: App) -> None:
    address = unique_address("naomi")
    body = {"email": address, "password": PASSWORD}
    assert app.send("POST", "auth/register/", body).status_code == 201
    visitor.page.goto(visitor.service.link(address, "verify-email"))
    visitor.page.get_by_role("button", name="Confirm address").click()
    visitor.is_at("Email address confirmed")
    expect(visitor.page.get_by_role("link", name="Go to your account")).to_be_visible()


def asked_who(visitor: Visitor, app: App) -> None:
    # The link of the verification proves no password.
    welcomed(visitor, app)
    page = visitor.open("/account/notices/")
    page.get_by_label("Write to me about sign-ins on new devices and in new countries").uncheck()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("dialog", name="Is it you?").wait_for()


def deletion_pending(visitor: Visitor, app: App) -> None:
    address = unique_address("boaz")
    app.register(address)
    app.log_in(address)
    app.send("POST", "auth/account/delete/")
    visitor.sign_in(address)
    expect(visitor.page.get_by_role("button", name="Keep my account")).to_be_visible()


def email_pending(visitor: Visitor, app: App) -> None:
    member(visitor, app)
    page = visitor.open("/account/email/")
    page.get_by_label("New email address").fill(unique_address("new"))
    page.get_by_role("button", name="Send a link to this address").click()
    expect(page.get_by_text("Waiting for you to confirm")).to_be_visible()


def set_up(visitor: Visitor) -> str:
    """Begin with the second factor on its page; return the secret."""
    page = visitor.page
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    page.get_by_text("I can't scan it").click()
    return re.sub(r"\s", "", page.locator("details code").inner_text())


def turn_on(visitor: Visitor) -> str:
    """Turn the second factor on, on its page; return the secret."""
    secret = set_up(visitor)
    visitor.page.get_by_label("Enter the code").fill(code_of(secret))
    visitor.page.get_by_role("button", name="Turn it on").click()
    expect(visitor.page.get_by_text("Keep your recovery codes")).to_be_visible()
    return secret


def turned_on(visitor: Visitor) -> None:
    turn_on(visitor)
    visitor.page.get_by_role("button", name="I have kept them").click()
    expect(visitor.page.get_by_role("button", name="Turn it off")).to_be_visible()


def asked_for_code(visitor: Visitor, app: App) -> None:
    address = member(visitor, app)
    visitor.open("/account/two-step/")
    turned_on(visitor)
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.is_at("Sign in")
    visitor.sign_in(address, page=visitor.page)
    expect(visitor.page.get_by_label("Code from your authenticator app")).to_be_focused()


def staff(visitor: Visitor, app: App) -> str:
    """Sign in to the admin with a new account without a second factor; return the secret."""
    address = unique_address("boss")
    visitor.service.make_superuser(address)
    page = visitor.open("/admin/")
    page.get_by_label("Email or username").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    visitor.is_at("Set up two-step sign-in")
    page.get_by_text("I can't scan it").click()
    return re.sub(r"\s", "", page.locator("details code").inner_text())


def staff_refused(visitor: Visitor, app: App) -> None:
    staff(visitor, app)
    visitor.page.get_by_label("Enter the code").fill("12")
    visitor.page.get_by_role("button", name="Turn it on and sign in").click()
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    # The page itself is the refusal.
    visitor.faults.clear()


def staff_codes(visitor: Visitor, app: App) -> None:
    secret = staff(visitor, app)
    visitor.page.get_by_label("Enter the code").fill(code_of(secret))
    visitor.page.get_by_role("button", name="Turn it on and sign in").click()
    visitor.is_at("Keep your recovery codes")


def mailbox(visitor: Visitor, app: App) -> None:
    app.register(unique_address("ruth"))
    visitor.open("/dev/mailbox/")
    visitor.is_at("Mailbox")


def mail(form: str) -> Scene:
    """Return a scene: a mail in one of its forms."""

    def enter(visitor: Visitor, app: App) -> None:
        visitor.open(f"/dev/mailbox/preview-new_device/?as={form}")

    return enter


def mailed(page: str, title: str) -> Scene:
    """Return a scene: a page with a token in its link, and one whose link is too old."""
    return at(f"/account/{page}/?token=x", title)


TWO_STEP = ("/account/two-step/", "Two-step sign-in")
SCENES: dict[str, Scene] = {
    "sign-in": at("/account/sign-in/", "Sign in"),
    "sign-in-refused": refused_sign_in,
    "sign-in-locked": locked_sign_in,
    "sign-in-code": asked_for_code,
    "sign-in-deleted": deletion_pending,
    "sign-up": at("/account/sign-up/", "Create an account"),
    "sign-up-refused": refused_sign_up,
    "check-email": checking_mail,
    "check-email-unknown": at("/account/check-email/", "Check your email"),
    "welcome": welcomed,
    "welcome-without-token": at(WELCOME, "Email address confirmed"),
    "home": within("/account/", "Your account"),
    "devices": within("/account/devices/", "Your devices"),
    "devices-question": within(
        "/account/devices/", "Your devices", press("Sign out the other device")
    ),
    "devices-rename": within("/account/devices/", "Your devices", press("Rename Ruth's phone")),
    "password": within("/account/password/", "Your password"),
    "email": within("/account/email/", "Your email address"),
    "email-pending": email_pending,
    "profile": within("/account/profile/", "Your profile"),
    "two-step-off": within(*TWO_STEP),
    "two-step-setup": within(*TWO_STEP, then=set_up),
    "two-step-codes": within(*TWO_STEP, then=turn_on),
    "two-step-on": within(*TWO_STEP, then=turned_on),
    "activity": within("/account/activity/", "Recent activity"),
    "notices": within("/account/notices/", "Emails from us"),
    "notices-question": asked_who,
    "data": within("/account/data/", "Your data"),
    "data-question": within("/account/data/", "Your data", press("Delete my account")),
    "forgot-password": at("/account/forgot-password/", "Ask for a new password"),
    "resend-verification": at("/account/resend-verification/", "Ask for a new link"),
    "verify-email": mailed("verify-email", "Confirm your email address"),
    "reset-password": mailed("reset-password", "Choose a new password"),
    "not-me": mailed("not-me", "Was this not you?"),
    "confirm-email": mailed("confirm-email", "Use this email address"),
    "undo-email": mailed("undo-email", "Keep your old email address"),
    "undo-change": mailed("undo-change", "Undo this change"),
    "keep-second-factor": mailed("keep-second-factor", "Keep two-step sign-in"),
    "accept-invitation": mailed("accept-invitation", "Accept the invitation"),
    "unsubscribe": mailed("unsubscribe", "Stop these notices?"),
    "download-export": mailed("download-export", "Download the copy of your data"),
    "mailbox": mailbox,
    "mail": mail("html"),
    "mail-phone": mail("phone"),
    "mail-source": mail("source"),
    "staff-two-step": staff,
    "staff-two-step-refused": staff_refused,
    "staff-two-step-codes": staff_codes,
    "start": at("/", "Account service"),
}
