"""Front ends of other origins: pages that use the clients, and a page of strangers."""

import contextlib
import dataclasses
import http.server
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from authentication.tests.faults.rig import free_port

from .service import PASSWORD, ROOT, Service

_CLIENT = ROOT / "clients/typescript"
_FOLDERS = {
    "lib": _CLIENT / "build/src",
    "example": _CLIENT / "build/test/pages/example",
    "specification": _CLIENT / "build/test/pages/specification",
    "axios": _CLIENT / "node_modules/axios/dist/esm",
}
_SCRIPTS = {
    "/": ("example/app.js",),
    "/as-written": ("specification/interceptor.js", "specification/app.js"),
    "/mended": ("specification/mendedInterceptor.js", "specification/app.js"),
    "/login": ("specification/app.js",),
    "/as-written-login": ("specification/interceptor.js", "specification/app.js"),
    "/mended-login": ("specification/mendedInterceptor.js", "specification/app.js"),
}
_PAGE = """<!doctype html><html lang="en" data-api="{api}"><meta charset="utf-8"><title>SPA</title>
<link rel="icon" href="data:,">
<script type="importmap">{{"imports": {{"@vineyard-group-fellowship/auth-client": "/lib/index.js",
  "axios": "/axios/axios.js"}}}}</script>
<p id="status">Loading</p>
<form id="sign-in"><input name="email" aria-label="Email"><input name="password" type="password"
  aria-label="Password"><button>Sign in</button></form>
<form id="code" hidden><input name="otp" aria-label="Code"><button>Go on</button></form>
<button id="sign-out">Sign out</button>
{scripts}"""


@dataclasses.dataclass(frozen=True)
class FrontEnd:
    """A web server of pages; its URL is another origin than the service's."""

    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @contextlib.contextmanager
    def serving(self, service: Service) -> Iterator["FrontEnd"]:
        """Serve the pages of clients of a service."""
        handler = type("Handler", (_Handler,), {"api": f"{service.url}/api/v1/auth"})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield self
        server.shutdown()
        server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    api = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        kind, body = ("text/javascript", self._script(path)) if ".js" in path else self._page(path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def _page(self, path: str) -> tuple[str, bytes]:
        sources = (f'<script type="module" src="/{it}"></script>' for it in _SCRIPTS.get(path, ()))
        return "text/html", _PAGE.format(api=self.api, scripts="\n".join(sources)).encode()

    def _script(self, path: str) -> bytes:
        _, folder, name = path.split("/", 2)
        found = _FOLDERS[folder] / name
        return found.read_bytes() if found.is_file() else b""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base's name
        pass


def new_front_end() -> FrontEnd:
    """Return a front end that is not served yet: its origin goes into the settings before."""
    return FrontEnd(free_port())


class Spa:
    """A person at a page of a front end."""

    def __init__(self, browser: Browser, front_end: FrontEnd, path: str = "/") -> None:
        self.context: BrowserContext = browser.new_context(base_url=front_end.origin)
        self.context.set_default_timeout(15_000)
        self.path = path
        self.refreshes: list[int] = []
        self.context.on("response", self._note)
        self.page = self.tab()

    def _note(self, answer: Any) -> None:
        if answer.url.endswith("/token/refresh/") and answer.request.method == "POST":
            self.refreshes.append(answer.status)

    def tab(self) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        page.goto(self.path)
        return page

    def shows(self, text: str, page: Page | None = None) -> None:
        """Assert what a page says."""
        expect((page or self.page).locator("#status")).to_have_text(text)

    def sign_in(self, address: str, password: str = PASSWORD, page: Page | None = None) -> None:
        """Fill in the form."""
        page = page or self.page
        page.get_by_label("Email").fill(address)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

    def refresh_cookie(self) -> str | None:
        """Return the refresh token, which no script can read."""
        found = [it for it in self.context.cookies() if it["name"] == "refresh_token"]
        assert all(it["httpOnly"] for it in found)
        return found[0]["value"] if found else None


def at_once(*tabs: Page, script: str) -> list[str]:
    """Run a promise in several tabs at the same moment; return "ok" or the error of each."""
    # The call returns at once, so that the tabs wait for the moment side by side.
    run = f"setTimeout(() => {script}.then(() => 'ok', String).then((it) => window.done = it), 300)"
    for tab in tabs:
        tab.evaluate(f"() => {{ window.done = null; {run}; }}")
    for tab in tabs:
        tab.wait_for_function("window.done")
    return [str(tab.evaluate("window.done")) for tab in tabs]
