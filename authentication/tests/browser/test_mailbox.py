"""The mailbox of development."""

import pytest
from playwright.sync_api import expect

from .service import PASSWORD, App, unique_address, wait_for
from .visitors import Visitor

pytestmark = pytest.mark.browser


def test_the_start_page_leads_to_the_mail_whose_button_confirms_the_address(
    visitor: Visitor, app: App
) -> None:
    address = unique_address("orpah")
    app.send("POST", "auth/register/", {"email": address, "password": PASSWORD})
    wait_for(lambda: visitor.service.texts_to(address), what="the mail")
    page = visitor.open("/")
    page.get_by_role("link", name="Mailbox").click()
    visitor.is_at("Mailbox")
    newest = page.get_by_role("listitem").filter(has_text=address)

    newest.get_by_role("link").click()
    page.frame_locator("iframe").get_by_role("link").first.click()

    visitor.is_at("Confirm your email address")


def test_a_mail_runs_no_script_and_loads_nothing(visitor: Visitor) -> None:
    folder = visitor.service.mails
    folder.mkdir(exist_ok=True)
    body = '<html><head></head><body><p>Hi</p><script>top.location = "/gone"</script></body></html>'
    head = "Subject: Odd\nTo: ruth@example.org\nContent-Type: text/html; charset=utf-8\n\n"
    (folder / "19990101-000000-odd.eml").write_text(head + body, encoding="utf-8")

    page = visitor.open("/dev/mailbox/19990101-000000-odd/")

    expect(page.frame_locator("iframe").get_by_text("Hi")).to_be_visible()
    expect(page.get_by_role("heading", name="Odd")).to_be_visible()
    # The browser reports the script that it did not run.
    assert any("script" in it for it in visitor.faults)
    visitor.faults.clear()
