"""The admin in a browser: its pages in both schemes and widths, and what people do there."""

import re
import secrets
import string
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import Visit
from .service import App, Service, unique_address
from .staff import enter_admin, leave_work, make_superuser
from .test_pages import PICTURES, SCHEMES
from .visitors import Visitor, overflow

pytestmark = pytest.mark.browser

WIDTHS = (390, 1280)
FINISH_TRANSITIONS = """() => {
    for (const it of document.getAnimations()) if (it instanceof CSSTransition) it.finish();
}"""
Staff = tuple[Visitor, str]


@pytest.fixture
def staff(visit: Visit, service: Service) -> Staff:
    return enter_as_staff(visit(), service)


def enter_as_staff(visitor: Visitor, service: Service) -> Staff:
    """Return a superuser who has signed in with a code, and the address of a person locked out."""
    boss, ruth = unique_address("boss"), unique_address("ruth")
    App(service).register(boss, first_name="Boaz", last_name="Ephrath")
    seed = make_superuser(service, boss)
    App(service).register(ruth, first_name="Ruth", last_name="Moab")
    App(service).log_in(ruth)
    for _ in range(5):
        App(service).log_in(ruth, password="wrong")
    leave_work(service)
    enter_admin(visitor, boss, seed)
    return visitor, ruth


def find(visitor: Visitor, text: str) -> None:
    field = visitor.page.get_by_role("combobox", name="Find a person")
    field.click()
    field.press_sequentially(text)
    expect(visitor.page.get_by_role("option").first).to_be_visible()


def list_people(visitor: Visitor, text: str) -> None:
    visitor.page.goto("/admin/")
    visitor.page.get_by_role("combobox", name="Find a person").fill(text)
    visitor.page.get_by_role("button", name="Find", exact=True).click()
    expect(visitor.page.get_by_role("heading", name="People found")).to_be_visible()


def open_person(visitor: Visitor, ruth: str) -> None:
    find(visitor, ruth[:24])
    visitor.page.get_by_role("option", name=re.compile(re.escape(ruth))).click()
    expect(visitor.page.get_by_role("heading", name="What would you like to do?")).to_be_visible()


def ask(name: str) -> Callable[[Visitor, str], None]:
    def enter(visitor: Visitor, ruth: str) -> None:
        open_person(visitor, ruth)
        visitor.page.get_by_role("link", name=name, exact=True).click()
        expect(visitor.page.get_by_role("link", name="No, go back")).to_be_visible()

    return enter


def ask_for_many(visitor: Visitor, ruth: str) -> None:
    """Tick the whole list and open the page that asks."""
    page = visitor.page
    page.goto("/admin/authentication/user/?is_staff__exact=0&email_verified__exact=1")
    page.get_by_label("for the whole list").check()
    page.get_by_label("Action:").select_option("send-reset")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="For these people")).to_be_visible()


def finish_for_many(visitor: Visitor, ruth: str) -> None:
    ask_for_many(visitor, ruth)
    number = visitor.page.locator("#id_number")
    if number.count():
        label = visitor.page.locator("label[for=id_number]").inner_text()
        number.fill(re.sub("[^0-9]", "", label))
    visitor.page.get_by_role("button", name="Send a link for a new password").click()
    expect(visitor.page.get_by_text("Done for")).to_be_visible(timeout=20_000)


def search_the_log(visitor: Visitor, ruth: str) -> None:
    visitor.page.goto("/admin/authentication/auditlog/search/")
    visitor.page.locator("#id_person").fill(ruth)
    visitor.page.get_by_role("button", name="Show").click()
    heading = visitor.page.locator("#found-title")
    expect(heading).to_have_text(re.compile("[0-9]+ (events|Ereignisse)"))


def write_a_note(visitor: Visitor, ruth: str) -> None:
    ask("Write a note")(visitor, ruth)
    visitor.page.get_by_label("Note").fill("Prefers letters to calls.")
    visitor.page.get_by_role("button", name="Write a note").click()
    expect(visitor.page.get_by_text(re.compile("Prefers letters"))).to_be_visible()


SCENES: dict[str, Callable[[Visitor, str], object]] = {
    "front": lambda visitor, _: visitor.page.goto("/admin/"),
    "suggestions": lambda visitor, _: find(visitor, "rut"),
    "found": lambda visitor, _: list_people(visitor, "ruth"),
    "locked": lambda visitor, _: visitor.page.goto("/admin/authentication/user/find/?state=locked"),
    "people": lambda visitor, _: visitor.page.goto("/admin/authentication/user/"),
    "person": open_person,
    "unlock": ask("Unlock"),
    "disable": ask("Disable the account"),
    "delete": ask("Delete the account"),
    "role": ask("Give a role"),
    "note": write_a_note,
    "confirm": lambda visitor, _: visitor.page.goto("/admin/confirm/"),
    "audit-search": search_the_log,
    "bulk-question": ask_for_many,
    "bulk-done": finish_for_many,
}


def test_the_pages_of_the_admin_are_readable(staff: Staff, app: App) -> None:
    visitor, ruth = staff
    app.register(unique_address("ruth"), first_name="Ruth", last_name="Rimmon")
    page, faults = visitor.page, []
    for name, scene in SCENES.items():
        scene(visitor, ruth)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 860})
                page.screenshot(
                    path=PICTURES / f"admin-{name}-{width}-{scheme}.png", full_page=True
                )
                # Django fades from one scheme to the other.
                page.evaluate(FINISH_TRANSITIONS)
                found = Axe().run(page, options={"resultTypes": ["violations"]}).response
                faults += [
                    (name, scheme, width, it["id"], node["html"][:90])
                    for it in found["violations"]
                    for node in it["nodes"]
                ]
                # Django's own lists scroll.
                if name != "people" and (wide := overflow(page)):
                    faults.append((name, scheme, width, "overflow", wide))
    assert sorted(set(faults)) == []


def test_a_person_is_unlocked_with_three_letters_and_three_clicks(staff: Staff, app: App) -> None:
    page = staff[0].page
    # Other tests leave many people of her first name.
    surname = "".join(secrets.choice(string.ascii_uppercase) for _ in range(3)) + "ab"
    ruth = unique_address("ruth")
    app.register(ruth, first_name="Ruth", last_name=surname)
    for _ in range(5):
        app.log_in(ruth, password="wrong")
    assert app.log_in(ruth).status_code == 403

    field = page.get_by_role("combobox", name="Find a person")
    field.focus()
    field.press_sequentially(surname[:3])
    page.get_by_role("option", name=re.compile(re.escape(ruth))).click()
    page.get_by_role("link", name="Unlock", exact=True).click()
    page.get_by_role("button", name="Unlock", exact=True).click()

    expect(page.get_by_text("Unlocked.", exact=True)).to_be_visible()
    expect(page.get_by_text("by Boaz Ephrath").first).to_be_visible()
    assert app.log_in(ruth).status_code == 200


def test_the_field_is_used_by_keys_alone(staff: Staff) -> None:
    visitor, ruth = staff
    page, field = visitor.page, visitor.page.get_by_role("combobox", name="Find a person")
    find(visitor, ruth[:24])
    expect(field).to_have_attribute("aria-expanded", "true")

    field.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially(ruth[24])
    expect(page.get_by_role("option")).to_have_count(1)
    field.press("ArrowUp")
    active = field.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    field.press("Enter")

    expect(page.get_by_role("heading", name="Ruth Moab")).to_be_visible()


def test_the_field_is_a_form_without_a_script(visit: Visit, staff: Staff) -> None:
    visitor, ruth = staff
    plain = visit(java_script_enabled=False)
    plain.context.add_cookies(visitor.context.cookies())  # type: ignore[arg-type]  # its own output
    plain.page.goto("/admin/")

    plain.page.get_by_label("Find a person").fill(ruth)
    plain.page.get_by_role("button", name="Find").click()

    expect(plain.page.get_by_role("heading", name="Ruth Moab")).to_be_visible()
