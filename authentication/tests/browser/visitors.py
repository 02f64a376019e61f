"""A person at a browser, and what must hold on every page that they see."""

import json
import re
import shutil
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, expect

from .service import PASSWORD, Service

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_REFUSED = "Failed to load resource: the server responded with a status of 4"
_VIOLATIONS = """
addEventListener("securitypolicyviolation", (it) =>
  console.error(`CSP: ${it.violatedDirective} ${it.blockedURI}`));
"""
# What a script of the page could read, as one text.
_READABLE = """() => JSON.stringify([
  document.cookie,
  Object.entries(localStorage),
  Object.entries(sessionStorage),
  history.state,
  location.href,
  document.documentElement.outerHTML,
  Object.getOwnPropertyNames(window)
    .map((name) => { try { return window[name]; } catch { return null; } })
    .filter((it) => ["string", "object"].includes(typeof it))
    .map((it) => { try { return JSON.stringify(it); } catch { return ""; } }),
])"""
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+")


def chromium() -> str:
    """Return the path of the system's Chromium."""
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    message = f"No browser is on the PATH: install one of {', '.join(_NAMES)}."
    raise FileNotFoundError(message)


class Visitor:
    """A person with a browser of their own, in which several tabs can be open."""

    def __init__(self, browser: Browser, service: Service, **options: Any) -> None:
        self.service = service
        self.context: BrowserContext = browser.new_context(
            base_url=service.url, viewport={"width": 1280, "height": 900}, **options
        )
        self.context.add_init_script(_VIOLATIONS)
        self.context.set_default_timeout(15_000)
        self.faults: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("response", self._note)
        return page

    def _hear(self, said: ConsoleMessage) -> None:
        # The browser reports each refusal of the API too; `refused` has it.
        if said.type in {"error", "warning"} and not said.text.startswith(_REFUSED):
            self.faults.append(f"{said.type}: {said.text}")

    def _note(self, answer: Response) -> None:
        at, own = urlsplit(answer.url), urlsplit(self.service.url)
        if at.netloc != own.netloc:
            self.faults.append(f"another host: {answer.url}")
        if answer.status >= 500 or (answer.status >= 400 and not at.path.startswith("/api/")):
            self.faults.append(f"{answer.status}: {answer.url}")
        elif answer.status >= 400:
            self.refused.append((answer.status, at.path.removeprefix("/api/v1/")))

    def open(self, path: str) -> Page:
        """Open a page in the first tab, and wait until its scripts have filled it."""
        self.page.goto(path)
        settle(self.page)
        return self.page

    def sign_in(self, address: str, password: str = PASSWORD, page: Page | None = None) -> None:
        """Fill in the form of the sign-in page."""
        page = page or self.open("/account/sign-in/")
        page.get_by_label("Email address or username").fill(address)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()

    def is_at(self, title: str, page: Page | None = None) -> None:
        """Assert that a page is shown, and that it is sound."""
        page = page or self.page
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        settle(page)
        self.is_sound(page)

    def is_sound(self, page: Page | None = None) -> None:
        """Assert that nothing failed so far and that no script can read a refresh token."""
        readable = str((page or self.page).evaluate(_READABLE))
        assert self.faults == []
        assert _TOKEN.findall(readable) == []
        for cookie in self.context.cookies():
            if cookie["name"] in {"refresh_token", "device"}:
                assert cookie["httpOnly"] is True
                assert cookie["value"] not in readable


def settle(page: Page) -> None:
    """Wait until the scripts of a page have filled it."""
    page.wait_for_function(
        # A form waits for the dialog that it has opened.
        """() => document.querySelector('dialog[open]')
          || !document.querySelector('.waiting, #page[aria-busy], form[aria-busy]')"""
    )
    page.wait_for_load_state("networkidle")


def weight(page: Page, path: str) -> int:
    """Return how many bytes a page loads, uncompressed."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 -- it needs a frame
    page.goto(path)
    settle(page)
    return sum(len(answer.body()) for answer in answers)


def reached_by_keyboard(page: Page) -> tuple[set[str], set[str]]:
    """Return what can be used on a page, and what the Tab key reaches of it."""
    usable = "a[href], button, input:not([type=hidden]), select, summary"
    page.evaluate(
        """(usable) => {
          // What is behind an open dialog is inert.
          const root = document.querySelector("dialog[open]") || document;
          [...root.querySelectorAll(usable)].filter((it) => it.checkVisibility())
            .forEach((it, i) => it.setAttribute("data-test", `${i}`));
        }""",
        usable,
    )
    describe = "(it) => `${it.dataset.test} ${it.tagName} ${it.textContent.trim().slice(0, 40)}`"
    wanted = set(page.locator("[data-test]").evaluate_all(f"(all) => all.map({describe})"))
    # From the top, as after a click on nothing.
    page.evaluate("() => { document.activeElement.blur(); getSelection().empty(); }")
    reached = set[str]()
    for _ in range(len(wanted) + 3):
        page.keyboard.press("Tab")
        reached |= set(_focused(page, describe))
    return wanted, reached


def _focused(page: Page, describe: str) -> Iterator[str]:
    script = f"""() => {{ const it = document.activeElement;
        return it.dataset.test ? ({describe})(it) : ""; }}"""
    if found := page.evaluate(script):
        yield str(found)


def overflow(page: Page) -> str:
    """Return by how many pixels a page is wider than its window, and for which elements."""
    script = """() => {
      const wide = document.documentElement.scrollWidth - innerWidth;
      const over = [...document.body.querySelectorAll("*")]
        .filter((it) => it.getBoundingClientRect().right > innerWidth + 0.5)
        .map((it) => it.tagName);
      return JSON.stringify(wide > 0 ? [wide, over] : []);
    }"""
    found = json.loads(page.evaluate(script))
    return f"{found}" if found else ""
