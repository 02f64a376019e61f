"""A week of an administrator, with the pictures of docs/desk.md."""

import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import Visit
from .service import PASSWORD, App, Service, unique_address
from .staff import enter_admin, give_factor, leave_work, make_superuser
from .test_pages import PICTURES
from .visitors import Visitor, overflow

pytestmark = pytest.mark.browser

GUIDE = PICTURES / "guide"
_WIDE = 1280
# Axe would read imported style sheets through a style of its own, which the CSP refuses.
_AXE = {"resultTypes": ["violations"], "preload": False}
_CONSONANTS, _VOWELS = "bdfghjklmnprstv", "aeio"


class Administrator:
    """A superuser in the admin, who takes a picture of what they see."""

    def __init__(self, visitor: Visitor, address: str, seed: str) -> None:
        self.visitor, self.page = visitor, visitor.page
        enter_admin(visitor, address, seed)

    def picture(self, name: str) -> None:
        """Take a picture, and check that the page is accessible and nothing sticks out."""
        size: Any = self.page.viewport_size
        folder = GUIDE if size["width"] == _WIDE else GUIDE / "phone"
        self.page.screenshot(path=Path(folder / f"{name}.png"))
        assert overflow(self.page) == "", name
        found = Axe().run(self.page, options=_AXE).response
        faults = [(it["id"], node["html"]) for it in found["violations"] for node in it["nodes"]]
        assert faults == [], name
        assert self.visitor.faults == [], name

    def find(self, text: str) -> None:
        """Type in the field at the top, and open the person who is found."""
        field = self.page.get_by_role("combobox", name="Find a person")
        field.click()
        field.press_sequentially(text)
        found = self.page.get_by_role("listbox", name="People found").get_by_role("option")
        expect(found).to_have_count(1)
        self.picture("find")
        found.click()
        expect(self.page.get_by_role("heading", name="What would you like to do?")).to_be_visible()

    def do(self, label: str, picture: str = "", **fields: str) -> None:
        """Press a button of the page of a person, answer the question and press it again."""
        self.page.get_by_role("link", name=label, exact=True).click()
        for name, text in fields.items():
            self.page.locator(f"[name={name}]").fill(text)
        if picture:
            self.picture(picture)
        self.page.get_by_role("button", name=label, exact=True).click()

    def is_told(self, text: str) -> None:
        expect(self.page.locator(".messagelist")).to_contain_text(text)


def surname() -> str:
    """Return a surname that no other test uses, most probably."""
    letters = [secrets.choice(it) for it in (_CONSONANTS, _VOWELS) * 4]
    return "".join(letters).title()


def member(service: Service, last_name: str) -> tuple[App, str]:
    """Return a member's phone and address."""
    phone, address = App(service), unique_address("ruth")
    phone.register(address, first_name="Ruth", last_name=last_name)
    return phone, address


@pytest.fixture(params=[_WIDE, 390])
def admins(
    request: pytest.FixtureRequest, visit: Visit, service: Service
) -> tuple[Administrator, Administrator]:
    """Return two superusers with screens of one width."""
    found = []
    for name in ("Boaz", "Naomi"):
        address = unique_address(name.lower())
        App(service).register(address, first_name=name, last_name="Ephrath")
        seed = make_superuser(service, address)
        leave_work(service)
        visitor = visit()
        visitor.page.set_viewport_size({"width": request.param, "height": 860})
        found.append(Administrator(visitor, address, seed))
    return found[0], found[1]


def test_an_administrator_does_what_a_week_brings(
    admins: tuple[Administrator, Administrator], service: Service
) -> None:
    boaz, naomi = admins
    name = surname()
    phone, ruth = member(service, name)
    assert phone.log_in(ruth).status_code == 200
    for _ in range(5):
        App(service).log_in(ruth, password="wrong")

    boaz.page.reload()
    expect(boaz.page.get_by_role("heading", name="Needs a person")).to_be_visible()
    boaz.picture("front-page")

    boaz.find(name[:6])
    boaz.picture("person")
    boaz.do("Unlock", "unlock")
    boaz.is_told("Unlocked.")
    assert App(service).log_in(ruth).status_code == 200

    end_a_device(boaz, phone)
    correct_an_address(boaz, service)
    invite(boaz, service)
    remove_a_factor(boaz, naomi, service)


def end_a_device(boaz: Administrator, phone: App) -> None:
    assert phone.send("GET", "auth/sessions/").status_code == 200
    boaz.page.reload()
    devices = boaz.page.get_by_role("region", name="Devices").get_by_role("listitem")
    expect(devices).to_have_count(2)

    devices.last.get_by_role("link", name="Sign out this device").click()
    boaz.picture("device")
    boaz.page.get_by_role("button", name="Sign out this device").click()

    boaz.is_told("The device is signed out.")
    assert phone.send("GET", "auth/sessions/").status_code == 401


def correct_an_address(boaz: Administrator, service: Service) -> None:
    app, name = App(service), surname()
    wrong, right = unique_address("ruht"), unique_address("ruth")
    body = {"email": wrong, "password": PASSWORD, "first_name": "Orpah", "last_name": name}
    assert app.send("POST", "auth/register/", body).status_code == 201

    boaz.find(name[:6])
    boaz.do("Correct the address", "correct-address", new_email=right, reason="A typing error.")

    boaz.is_told("The address is corrected, and the verification mail is on its way.")
    token = service.link(right, "verify-email").rpartition("=")[2]
    assert app.send("POST", "auth/email/verify/", {"token": token}).status_code == 200


def invite(boaz: Administrator, service: Service) -> None:
    page, address = boaz.page, unique_address("tamar")
    page.goto("/admin/authentication/invitation/add/")
    page.get_by_label("Address").fill(address)
    page.get_by_label("First name").fill("Tamar")
    page.get_by_label("Last name").fill("Judah")
    boaz.picture("invite")
    page.get_by_role("button", name="Save", exact=True).click()
    boaz.is_told("The invitation is on its way.")
    boaz.page.screenshot(path=GUIDE / "invitations.png")

    accept(boaz, service.link(address, "accept-invitation"))
    assert App(service).log_in(address).status_code == 200


def accept(boaz: Administrator, link: str) -> None:
    guest: Page = boaz.visitor.tab()
    guest.goto(link)
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    guest.get_by_label("Password again").fill(PASSWORD)
    guest.get_by_role("button", name="Make my account").click()
    expect(guest.get_by_role("heading", name="Welcome")).to_be_visible()
    guest.close()


def remove_a_factor(boaz: Administrator, naomi: Administrator, service: Service) -> None:
    name = surname()
    _, lost = member(service, name)
    give_factor(service, lost)
    assert App(service).log_in(lost).status_code == 403

    boaz.find(name[:6])
    why = {"reason": "She lost phone and codes."}
    boaz.do("Remove two-step sign-in", "remove-factor", **why)
    boaz.is_told("The removal waits for 24 hours or for a second member of staff.")
    confirm = "Confirm the removal of two-step sign-in"
    expect(boaz.page.get_by_role("link", name=confirm)).to_have_count(0)

    naomi.find(name[:6])
    naomi.do(confirm, "confirm-removal")
    naomi.is_told("Two-step sign-in is removed.")
    assert App(service).log_in(lost).status_code == 200
    expect(naomi.page.get_by_text(re.compile("by Naomi Ephrath")).first).to_be_visible()


def test_pictures_of_the_other_things(
    admins: tuple[Administrator, Administrator], service: Service
) -> None:
    boaz, _ = admins
    name = surname()
    for _ in range(2):
        member(service, surname())
    member(service, name)
    boaz.find(name[:6])
    person = boaz.page.url

    for label, picture in (
        ("Send a link for a new password", "new-password"),
        ("Disable the account", "disable"),
        ("Make a copy of their data", "copy"),
        ("Delete the account", "delete"),
        ("Write a note", "note"),
        ("Give a role", "role"),
    ):
        boaz.page.goto(person)
        boaz.page.get_by_role("link", name=label, exact=True).click()
        expect(boaz.page.get_by_role("link", name="No, go back")).to_be_visible()
        boaz.picture(picture)
    boaz.page.goto("/admin/authentication/user/?is_staff__exact=0")
    for row in (0, 1):
        boaz.page.locator(".action-select").nth(row).check()
    boaz.page.get_by_label("Action:").select_option(label="Sign out everywhere")
    boaz.page.get_by_role("button", name="Go").click()
    expect(boaz.page.get_by_role("heading", name="For these people")).to_be_visible()
    boaz.picture("many")
    boaz.page.goto("/admin/authentication/invitation/import/")
    boaz.picture("invite-many")
    boaz.page.goto("/admin/authentication/auditlog/search/")
    boaz.picture("audit-log")
