"""The session of a browser: several tabs, other devices, and its end."""

import time
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from .conftest import Visit
from .service import PASSWORD, App
from .visitors import Visitor, settle

pytestmark = pytest.mark.browser

REFRESH = "**/api/v1/auth/token/refresh/"


class Refreshes:
    """The refreshes of a browser: how many there were, and how many at the same time."""

    def __init__(self, visitor: Visitor, *, expires_in: int | None = None) -> None:
        self.count = self.most = self._open = 0
        self._expires_in = expires_in
        visitor.context.route(REFRESH, self._handle)

    def _handle(self, route: Route) -> None:
        self.count += 1
        self._open += 1
        self.most = max(self.most, self._open)
        answer = route.fetch()
        body: dict[str, Any] = answer.json()
        if self._expires_in and answer.ok:
            body["expires_in"] = self._expires_in
        self._open -= 1
        route.fulfill(response=answer, json=body)


def test_a_reload_keeps_the_session(member: Visitor) -> None:
    for _ in range(3):
        member.page.reload()
        member.is_at("Your account")

    assert member.refused == []


def test_a_visitor_without_a_session_spends_no_refresh(visitor: Visitor) -> None:
    visitor.page.goto("/account/devices/")

    visitor.is_at("Sign in")
    # It would count against the address, which a hall full of visitors shares.
    assert visitor.refused == []


def test_a_session_that_has_ended_is_asked_for_once(member: Visitor) -> None:
    member.context.clear_cookies(name="refresh_token")
    for _ in range(2):
        member.page.goto("/account/devices/")
        member.is_at("Sign in")

    assert member.refused == [(401, "auth/token/refresh/")]


def test_two_tabs_refresh_one_after_the_other_and_both_stay(member: Visitor) -> None:
    refreshes = Refreshes(member)
    tabs = [member.page, member.tab(), member.tab()]

    for tab in tabs:
        tab.goto("/account/devices/", wait_until="commit")

    for tab in tabs:
        member.is_at("Your devices", tab)
    assert refreshes.most == 1
    for tab in tabs:
        tab.get_by_role("link", name="← Your account").click()
        member.is_at("Your account", tab)
    assert member.refused == []


def test_the_access_token_is_renewed_before_it_expires_for_all_tabs(member: Visitor) -> None:
    refreshes = Refreshes(member, expires_in=10)
    other = member.tab()
    for tab in (member.page, other):
        tab.goto("/account/")
        member.is_at("Your account", tab)
    before = refreshes.count

    # After eight seconds both tabs find that it is time; one of them renews the token for both.
    while refreshes.count == before:
        other.wait_for_timeout(100)
    other.wait_for_timeout(2_000)

    assert refreshes.count == before + 1
    assert refreshes.most == 1
    assert member.refused == []


def test_a_refused_access_token_is_renewed_once_and_the_request_repeated(member: Visitor) -> None:
    seen: list[str] = []

    def refuse_once(route: Route) -> None:
        seen.append(route.request.headers["authorization"])
        if len(seen) == 1:
            route.fulfill(status=401, json={"code": "token_invalid", "detail": "No."})
        else:
            route.continue_()

    member.context.route("**/api/v1/auth/sessions/", refuse_once)

    member.page.get_by_role("link", name="Your devices").click()

    member.is_at("Your devices")
    assert len(seen) == len(set(seen)) == 2


def test_a_device_that_is_ended_is_refused_at_its_next_call(
    member: Visitor, address: str, app: App
) -> None:
    app.log_in(address)
    assert app.send("GET", "profiles/me/").status_code == 200
    page = member.open("/account/devices/")
    expect(page.get_by_text("This device")).to_have_count(1)

    page.get_by_role("button", name="Sign out Ruth's phone").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("status")).to_contain_text("Ruth's phone is signed out.")
    assert app.send("GET", "profiles/me/").status_code == 401
    expect(page.get_by_role("button", name="Sign out Ruth's phone")).to_have_count(0)


def test_a_device_is_renamed(member: Visitor, address: str, app: App) -> None:
    app.log_in(address)
    page = member.open("/account/devices/")

    page.get_by_role("button", name="Rename Ruth's phone").click()
    box = page.get_by_role("dialog", name="Rename this device")
    expect(box.get_by_label("Name of the device")).to_have_value("Ruth's phone")
    box.get_by_label("Name of the device").fill("<b>Kitchen</b>")
    box.get_by_role("button", name="Save").click()

    expect(page.get_by_role("status")).to_contain_text("The name is saved.")
    expect(page.get_by_text("<b>Kitchen</b>")).to_be_visible()


def test_all_other_devices_are_ended_at_once(member: Visitor, address: str, app: App) -> None:
    app.log_in(address)
    page = member.open("/account/devices/")

    page.get_by_role("button", name="Sign out the other device").click()
    page.get_by_role("button", name="Sign them out").click()

    expect(page.get_by_role("status")).to_contain_text("All other devices are signed out.")
    assert app.send("GET", "profiles/me/").status_code == 401
    member.page.reload()
    member.is_at("Your devices")


def test_signing_out_in_one_tab_signs_out_the_others(member: Visitor) -> None:
    other = member.tab()
    other.goto("/account/profile/")
    member.is_at("Your profile", other)

    member.page.get_by_role("button", name="Sign out").click()

    member.is_at("Sign in")
    member.is_at("Sign in", other)
    assert other.url.endswith("/account/sign-in/?next=%2Faccount%2Fprofile%2F")
    assert not [it for it in member.context.cookies() if it["name"] == "refresh_token"]
    other.go_back()
    settle(other)
    expect(other.get_by_label("First name")).to_have_count(0)


def test_a_session_that_another_device_ended_leads_to_the_sign_in(
    member: Visitor, address: str, app: App
) -> None:
    app.log_in(address)
    page = member.open("/account/notices/")
    app.send("POST", "auth/sessions/terminate-all/")

    page.get_by_role("button", name="Save").click()

    member.is_at("Sign in")
    expect(page.get_by_role("status")).to_contain_text("You have been signed out.")
    member.sign_in(address, page=page)
    member.is_at("Emails from us")


def test_another_person_who_signs_in_does_not_see_the_first_ones_page(
    member: Visitor, app: App
) -> None:
    other_person = f"orpah-{time.monotonic_ns()}@example.org"
    app.register(other_person, display_name="Orpah")
    tab = member.tab()

    tab.goto("/account/sign-in/")
    settle(tab)
    member.sign_in(other_person, page=tab)

    expect(tab.locator("#page")).to_contain_text("Hello Orpah")
    expect(member.page.locator("#page")).to_contain_text("Hello Orpah")


def test_what_one_person_typed_is_not_saved_for_another(member: Visitor, app: App) -> None:
    other_person = f"orpah-{time.monotonic_ns()}@example.org"
    app.register(other_person, display_name="Orpah")
    page = member.open("/account/profile/")
    page.get_by_label("Name that others see").fill("Typed by Ruth")
    body = {"email": other_person, "password": PASSWORD}

    # It replaces the session of the cookie, and tells the tabs nothing.
    assert member.context.request.post("/api/v1/auth/login/", data=body).ok
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_label("Name that others see")).to_have_value("Orpah")
    app.log_in(other_person)
    assert app.send("GET", "profiles/me/").json()["display_name"] == "Orpah"


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/account/devices/", "/account/devices/"),
        ("//evil.example/account/", "/account/"),
        ("https://evil.example/account/", "/account/"),
        ("/\\evil.example/account/", "/account/"),
        ("javascript:alert(1)", "/account/"),
        ("/account/../admin/", "/account/"),
        ("/account/sign-in/", "/account/"),
        ("constructor", "/account/"),
        ("", "/account/"),
    ],
)
def test_a_sign_in_leads_on_to_own_pages_alone(
    visit: Visit, address: str, wanted: str, led_to: str
) -> None:
    visitor = visit()
    page = visitor.open(f"/account/sign-in/?next={wanted}")

    visitor.sign_in(address, page=page)

    page.wait_for_url(lambda url: "sign-in" not in url)
    assert page.url == visitor.service.url + led_to


def test_a_page_that_needs_a_sign_in_leads_there_and_back(visitor: Visitor, address: str) -> None:
    page = visitor.open("/account/activity/")
    visitor.is_at("Sign in")
    assert page.url.endswith("?next=%2Faccount%2Factivity%2F")

    visitor.sign_in(address, page=page)

    visitor.is_at("Recent activity")
