"""A page of an origin that the service does not trust can do nothing with a person's session.

One stranger is of the same site as the service (another port), so that cookies travel. The other is
of another site.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from .conftest import VisitSpa
from .front_ends import FrontEnd, Spa, new_front_end
from .service import PASSWORD, App, Service

pytestmark = pytest.mark.clients

# Each request as a page can send it: with CORS, and without, as forms and images do.
SEND = """async ([url, method, options]) => {
  try {
    const answer = await fetch(url, { method, credentials: "include", ...options });
    return [answer.type, answer.status, await answer.text()];
  } catch (error) { return [String(error), 0, ""]; }
}"""
OPTIONS: tuple[dict[str, Any], ...] = (
    {"headers": {"Content-Type": "application/json"}, "body": "{}"},
    {"headers": {"Content-Type": "text/plain"}, "body": "{}"},
    {"mode": "no-cors", "body": "{}"},
    {"mode": "no-cors"},
)
CHANGES = (
    ("POST", "token/refresh/"),
    ("POST", "logout/"),
    ("POST", "sessions/terminate-all/"),
    ("POST", "account/delete/"),
    ("POST", "password/change/"),
    ("DELETE", "account/email/"),
    ("POST", "login/"),
)


@pytest.fixture(scope="module")
def elsewhere(trusting: Service) -> Iterator[FrontEnd]:
    with new_front_end().serving(trusting) as front_end:
        yield front_end


@pytest.fixture
def victim(visit_spa: VisitSpa, ruth: str) -> Spa:
    spa = visit_spa()
    spa.sign_in(ruth)
    spa.shows("Signed in as Ruth M.")
    return spa


@pytest.fixture(params=["same site", "another site"])
def stranger(request: pytest.FixtureRequest, victim: Spa, elsewhere: FrontEnd) -> Page:
    """Return a stranger's page, which the person has opened in the same browser."""
    host = "localhost" if request.param == "same site" else "127.0.0.1"
    page = victim.context.new_page()
    page.goto(f"http://{host}:{elsewhere.port}/empty")
    return page


def api(service: Service, path: str) -> str:
    return f"{service.url}/api/v1/auth/{path}"


def test_it_reads_nothing_and_shows_nothing(victim: Spa, stranger: Page, trusting: Service) -> None:
    profile = f"{trusting.url}/api/v1/profiles/me/"
    for url in (profile, api(trusting, "sessions/"), api(trusting, "csrf/")):
        assert stranger.evaluate(SEND, [url, "GET", {}]) == ["TypeError: Failed to fetch", 0, ""]
        opaque = stranger.evaluate(SEND, [url, "GET", {"mode": "no-cors"}])
        assert opaque[1:] == [0, ""]

    stranger.evaluate(
        """(url) => new Promise((resolve) => {
          const frame = Object.assign(document.createElement("iframe"), { src: url });
          frame.addEventListener("load", resolve);
          document.body.append(frame);
        })""",
        f"{trusting.url}/account/",
    )
    assert stranger.frames[-1].url == "chrome-error://chromewebdata/"


def test_it_changes_nothing(victim: Spa, stranger: Page, trusting: Service, ruth: str) -> None:
    cookie = victim.refresh_cookie()
    sent: list[str] = []
    stranger.on("request", lambda it: sent.append(it.method))

    for options in OPTIONS:
        for method, path in CHANGES:
            if method == "DELETE" and options.get("mode") == "no-cors":
                continue
            found = stranger.evaluate(SEND, [api(trusting, path), method, options])
            assert found[1:] == [0, ""], (method, path, options)

    # The browser lets simple requests through: the service refuses them.
    assert sent.count("POST") >= 3 * (len(CHANGES) - 1)
    send_forms(victim, stranger, trusting, ruth)
    assert victim.refresh_cookie() == cookie
    victim.page.reload()
    victim.shows("Signed in as Ruth M.")


def send_forms(victim: Spa, stranger: Page, trusting: Service, ruth: str) -> None:
    """Assert that forms sign nobody in or out."""
    App(trusting).register(f"thief-{ruth}")
    fields = {"email": f"thief-{ruth}", "password": PASSWORD}
    page = victim.context.new_page()
    for path in ("login/", "logout/", "token/refresh/"):
        page.goto(stranger.url)
        page.evaluate(
            """([url, fields]) => {
              const form = Object.assign(document.createElement("form"),
                { method: "POST", action: url });
              for (const [name, value] of Object.entries(fields))
                form.append(Object.assign(document.createElement("input"), { name, value }));
              document.body.append(form);
              form.submit();
            }""",
            [api(trusting, path), fields],
        )
        page.wait_for_url(f"**/{path}")
        assert '"csrf_failed"' in page.content()
