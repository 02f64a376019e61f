"""What people agree to when they create an account."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from .service import PASSWORD, App, Service, running, unique_address
from .visitors import Visitor, settle

pytestmark = pytest.mark.browser

TERMS, PRIVACY = "https://www.example.org/terms", "https://www.example.org/privacy"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service that requires consent."""
    changed = {"REQUIRE_CONSENT": "True", "REQUIRE_CURRENT_CONSENT": "True"}
    urls = {"TERMS_URL": TERMS, "PRIVACY_POLICY_URL": PRIVACY}
    with running(tmp_path_factory.mktemp("strict"), **changed, **urls) as started:
        yield started


@pytest.fixture
def newcomer(strict: Service, chrome: Browser) -> Iterator[Visitor]:
    """Return a person at a browser of that service."""
    visitor = Visitor(chrome, strict)
    yield visitor
    visitor.context.close()
    assert visitor.faults == []


def test_both_texts_are_linked_and_must_be_accepted(newcomer: Visitor, strict: Service) -> None:
    address = unique_address("ruth")
    page = newcomer.open("/account/sign-up/")
    for name, url in (("Read the terms", TERMS), ("Read the privacy policy", PRIVACY)):
        expect(page.get_by_role("link", name=name)).to_have_attribute("href", url)
    page.get_by_label("Email address").fill(address)
    page.get_by_label("Password", exact=True).fill(PASSWORD)

    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".error:visible")).to_have_count(2)
    page.get_by_label("I accept the terms").check()
    page.get_by_label("I accept the privacy policy").check()
    page.get_by_role("button", name="Create account").click()

    newcomer.is_at("Check your email")
    page.reload()
    settle(page)
    expect(page.locator("#page")).to_contain_text(f"We sent a link to {address}.")
    app = App(strict)
    token = strict.link(address, "verify-email").rpartition("=")[2]
    app.send("POST", "auth/email/verify/", {"token": token})
    assert app.log_in(address).status_code == 200
    consents = app.send("GET", "profiles/me/").json()["consents"]
    assert all(consents.values())


def test_an_older_account_accepts_them_at_its_sign_in(newcomer: Visitor, strict: Service) -> None:
    address = unique_address("boss")
    strict.make_superuser(address)

    newcomer.sign_in(address)

    page = newcomer.page
    expect(page.get_by_role("link", name="Read the terms")).to_have_attribute("href", TERMS)
    page.get_by_label("I accept the terms").check()
    page.get_by_label("I accept the privacy policy").check()
    page.get_by_role("button", name="Accept and sign in").click()
    newcomer.is_at("Your account")
