"""The pages and mails in German, and pictures of them in var/screenshots/de."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from authentication.tests.services.mail.facts import FACTS
from authentication.tests.services.mail.test_email_templates import rendered_in

from .german import GermanVisitor, english_words
from .scenes import SCENES
from .service import NEW_PASSWORD, PASSWORD, App, Service, unique_address
from .test_pages import NARROW, PHONE, PICTURES, WIDE
from .visitors import overflow, settle

pytestmark = pytest.mark.browser

GERMAN = PICTURES / "de"
# Pages for developers are English.
_FOR_DEVELOPERS = {"mailbox", "mail-source"}


@pytest.fixture
def anna(service: Service, chrome: Browser) -> Iterator[GermanVisitor]:
    """Return a person whose browser is German."""
    visitor = GermanVisitor(chrome, service)
    yield visitor
    visitor.context.close()
    assert visitor.faults == []


@pytest.mark.parametrize("name", [it for it in SCENES if it not in _FOR_DEVELOPERS])
def test_a_page_is_german_and_fits(name: str, anna: GermanVisitor, app: App) -> None:
    SCENES[name](anna, app)
    page = anna.plain
    settle(page)

    for width in (NARROW, PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 860})
        page.screenshot(path=GERMAN / f"{name}-{width}.png", full_page=True)
        assert overflow(page) == "", width
    assert page.locator("html").get_attribute("lang") == "de"
    assert english_words(page) == []


@pytest.mark.parametrize("kind", FACTS)
def test_a_mail_is_german_and_fits(kind: str, anna: GermanVisitor) -> None:
    page = anna.context.new_page()

    page.set_content(rendered_in("de", kind).html)

    for width in (PHONE, WIDE):
        page.set_viewport_size({"width": width, "height": 860})
        page.screenshot(path=GERMAN / f"mail-{kind}-{width}.png", full_page=True)
        assert overflow(page) == "", width
    assert page.locator("html").get_attribute("lang") == "de"
    assert english_words(page) == []


def test_a_person_signs_up_verifies_mistypes_and_waits(anna: GermanVisitor, app: App) -> None:
    address, page = unique_address("anna"), anna.open("/account/sign-up/")
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    anna.is_at("Check your email")
    page.goto(anna.service.link(address, "verify-email"))
    page.get_by_role("button", name="Confirm address").click()
    anna.is_at("Email address confirmed")
    (text,) = anna.service.texts_to(address)
    assert "Bitte bestätige, dass diese E-Mail-Adresse dir gehört." in text
    anna.context.clear_cookies()

    for _ in range(5):
        app.log_in(address, password=NEW_PASSWORD)
    anna.sign_in(address, PASSWORD, page=anna.open("/account/sign-in/"))

    alert = anna.plain.get_by_role("alert")
    expect(alert).to_contain_text("Zu viele falsche Versuche.")
    minutes = re.compile(r"In (29|30) Minuten kannst du es wieder versuchen\.")
    expect(anna.plain.get_by_role("timer")).to_have_text(minutes)


def test_the_profiles_language_goes_before_the_browsers(anna: GermanVisitor, app: App) -> None:
    address = unique_address("maria")
    app.register(address)
    app.log_in(address)
    app.send("PATCH", "profiles/me/", {"language": "en"})

    anna.sign_in(address)

    plain = anna.plain
    expect(plain.get_by_role("heading", name="Your account")).to_be_visible()
    plain.get_by_role("link", name="Your profile").click()
    plain.get_by_label("Language").select_option("")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("Dein Profil ist gespeichert.")).to_be_visible()
    plain.get_by_label("Sprache").select_option("en")
    plain.get_by_role("button", name="Speichern").click()
    expect(plain.get_by_text("Your profile is saved.")).to_be_visible()
    plain.goto("/account/forgot-password/")
    expect(plain.get_by_role("heading", name="Ask for a new password")).to_be_visible()
