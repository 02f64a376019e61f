"""The front end's pages, as the server sends them: without personal data, and closed to others."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from authentication.tests.answers import unexpected
from authentication.tests.clients import Tokens
from authentication.tests.conftest import bearer
from authentication.view_modules.account_pages import HomePage

PAGES = [
    f"/account/{page}"
    for page in (
        *("", "sign-up/", "check-email/", "welcome/", "sign-in/", "devices/", "password/"),
        *("email/", "profile/", "two-step/", "activity/", "notices/", "data/"),
    )
]
SCRIPTS = Path(settings.BASE_DIR) / "authentication/static/account/js"
LONGEST_SCRIPT, LONGEST_LINE = 250, 100
# The one fact that a browser keeps is that it has a session.
IS_SIGNED_IN = re.compile(r'localStorage\.(setItem\(MARK, "1"\)|(getItem|removeItem)\(MARK\))')


@pytest.mark.security
def test_scripts_come_from_this_origin_and_write_no_markup(client: Client) -> None:
    def outcome(path: str) -> dict[str, str]:
        policy = client.get(path)["Content-Security-Policy"]
        found = (directive.strip().partition(" ") for directive in policy.split(";"))
        return {name: sources for name, _, sources in found}

    closed = ("default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types")
    own = ("script-src", "style-src", "img-src", "connect-src")
    expected = {
        **dict.fromkeys(closed, "'none'"),
        **dict.fromkeys(own, "'self'"),
        "require-trusted-types-for": "'script'",
    }
    assert unexpected(PAGES, outcome, expected) == {}


@pytest.mark.security
def test_a_page_has_no_inline_script_or_style_and_names_no_other_host(client: Client) -> None:
    def outcome(path: str) -> list[str]:
        html = client.get(path).content.decode()
        return re.findall(
            r"<script(?![^>]*\bsrc=\"/static/)|<style|\sstyle=|\son\w+=|//[\w.]", html
        )

    assert unexpected(PAGES, outcome, []) == {}


@pytest.mark.django_db
@pytest.mark.security
def test_a_page_is_the_same_for_everyone(client: Client, signed_in: Tokens) -> None:
    def outcome(path: str) -> tuple[bool, str]:
        known = client.get(path, headers=bearer(signed_in["access"]))
        return known.content == Client().get(path).content, known["Cache-Control"]

    assert unexpected(PAGES, outcome, (True, "no-store")) == {}


def test_a_page_says_what_it_is_without_its_scripts(client: Client) -> None:
    titles = {path: title_of(client.get(path)) for path in PAGES}

    assert all(titles.values())
    assert len(set(titles.values())) == len(PAGES)


def title_of(answer: Any) -> str:
    """Return the title of a page, if its heading says the same."""
    html = answer.content.decode()
    [title], [heading] = (
        re.findall(r"<title>(.*)</title>", html),
        re.findall(r"<h1>(.*)</h1>", html),
    )
    return str(title) if title == heading and "JavaScript" in html else ""


@pytest.mark.parametrize(
    ("logo", "url"),
    [
        ("account/favicon.svg", "/static/account/favicon.svg"),
        ("/media/mark.png", "/media/mark.png"),
    ],
)
def test_every_page_names_the_community_and_shows_its_mark(
    client: Client, settings: Settings, logo: str, url: str
) -> None:
    settings.SITE_NAME, settings.SITE_LOGO = "Barley & Wheat", logo
    pages = [*PAGES, "/", "/account/verify-email/", "/account/nowhere/"]

    def outcome(path: str) -> tuple[bool, bool]:
        html = client.get(path).content.decode()
        return "Barley &amp; Wheat</a>" in html, f'<image href="{url}"' in html

    assert unexpected(pages, outcome, (True, True)) == {}


@pytest.mark.parametrize("fault", [RuntimeError, ConnectionError])
def test_the_page_of_an_error_names_the_community(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(HomePage, "get", crash)
    client.raise_request_exception = False
    settings.SITE_NAME = "Barley & Wheat"

    answer = client.get("/")

    assert answer.status_code >= 500
    assert "Barley &amp; Wheat</a>" in answer.content.decode()


def test_the_scripts_are_short() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.js")}

    assert len(texts) > 20
    assert {name for name, it in texts.items() if it.count("\n") > LONGEST_SCRIPT} == set()
    assert {
        name for name, it in texts.items() if max(map(len, it.splitlines())) > LONGEST_LINE
    } == set()


@pytest.mark.security
def test_the_scripts_store_no_secret_and_read_no_markup() -> None:
    sinks = re.compile(
        r"localStorage|sessionStorage|indexedDB|document\.cookie|innerHTML|outerHTML|"
        r"insertAdjacentHTML|DOMParser|document\.write|\beval\b|new Function|https?://(?!www\.w3\.org)"
    )
    texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.rglob("*.js")}
    texts["session.js"] = IS_SIGNED_IN.sub("", texts["session.js"])

    assert {name: found for name, it in texts.items() if (found := sinks.findall(it))} == {}
