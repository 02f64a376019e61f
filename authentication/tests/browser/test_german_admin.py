"""The admin in German, and pictures of it in var/screenshots/de."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from .german import GermanVisitor, english_words
from .service import App, Service, unique_address
from .test_admin import SCENES, WIDTHS, enter_as_staff
from .test_german import GERMAN
from .visitors import overflow

pytestmark = pytest.mark.browser

LISTS = (
    "auditlog",
    "bulkaction",
    "invitation",
    "outgoingemail",
    "secondfactorremoval",
    "usersession",
)


@pytest.fixture
def anna(service: Service, chrome: Browser) -> Iterator[GermanVisitor]:
    """Return a visitor whose browser is German."""
    visitor = GermanVisitor(chrome, service)
    yield visitor
    visitor.context.close()
    assert visitor.faults == []


def test_the_pages_of_the_admin_are_german_and_fit(
    anna: GermanVisitor, service: Service, app: App
) -> None:
    _, ruth = enter_as_staff(anna, service)
    app.register(unique_address("ruth"), first_name="Ruth", last_name="Rimmon")
    page, faults = anna.plain, []
    for name, scene in SCENES.items():
        scene(anna, ruth)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 860})
            page.screenshot(path=GERMAN / f"admin-{name}-{width}.png", full_page=True)
            # Django's own lists scroll.
            if name != "people" and (wide := overflow(page)):
                faults.append((name, width, wide))
        assert page.locator("html").get_attribute("lang") == "de"
        faults += [(name, 0, line) for line in english_words(page)]
    assert faults == []


def test_the_lists_of_the_admin_are_german(anna: GermanVisitor, service: Service) -> None:
    enter_as_staff(anna, service)
    page = anna.plain
    for name in LISTS:
        page.goto(f"/admin/authentication/{name}/")
        page.screenshot(path=GERMAN / f"admin-list-{name}.png", full_page=True)
        assert english_words(page) == [], name
        row = page.locator("#result_list tbody a").first
        if row.count():
            row.click()
            page.screenshot(path=GERMAN / f"admin-row-{name}.png", full_page=True)
            assert english_words(page) == [], name
