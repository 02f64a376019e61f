"""A person whose browser is German, for the scenes that name texts in English."""

import functools
import gettext as catalogues
import json
import re
from pathlib import Path
from typing import Any

from django.contrib import admin
from playwright.sync_api import Browser, Page

from .service import ROOT, Service
from .visitors import Visitor

_WORDS = ROOT / "authentication/static/account/words/de.json"
# Words of English sentences, and of no German one.
_ENGLISH = re.compile(r"\b(the|your|you|with|this|please|not|and|we|of|is|sign|to)\b", re.I)


@functools.cache
def words() -> dict[str, str]:
    """Return the German texts of pages and scripts, by the English ones."""
    served = catalogues.translation("django", ROOT / "locale", ["de"])
    catalog: dict[Any, str] = served._catalog  # type: ignore[attr-defined]
    plain = {text: german for text, german in catalog.items() if isinstance(text, str) and text}
    of_scripts = json.loads(_WORDS.read_text(encoding="utf-8"))
    return {**plain, **{text: it for text, it in of_scripts.items() if isinstance(it, str)}}


@functools.cache
def words_of_django() -> dict[str, str]:
    """Return Django's own German texts of the admin, by the English ones."""
    folder = Path(admin.__file__).parent / "locale"
    catalog: Any = catalogues.translation("django", folder, ["de"])._catalog  # type: ignore[attr-defined]
    return {text: it for text, it in catalog.items() if isinstance(text, str) and text}


def german(english: str) -> str:
    """Return a text in German; of a part of a text the whole, up to its first placeholder."""
    if english in words():
        return words()[english]
    if english in words_of_django():
        return words_of_django()[english]
    if filled := _filled(english):
        return filled
    found = next((it for it in sorted(words()) if english in it), None)
    assert found, f"no text has the words {english!r}"
    return re.split(r"\{|%\(", words()[found])[0].strip()


def _filled(english: str) -> str:
    """Return a text whose placeholders have values in German; empty if there is none."""
    for text, translated in words().items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text))
        if pattern != re.escape(text) and (found := re.fullmatch(pattern, english)):
            return translated.format(**found.groupdict())
    return ""


def english_words(page: Page) -> list[str]:
    """Return the lines of a page that read like English."""
    lines = str(page.evaluate("() => document.title + '\\n' + document.body.innerText"))
    return [line for line in lines.splitlines() if len(_ENGLISH.findall(line)) > 1]


class GermanPage:
    """A page on which texts are found by their English originals."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def __getattr__(self, name: str) -> Any:
        return getattr(self._page, name)

    def get_by_label(self, text: str, **options: Any) -> Any:
        return self._page.get_by_label(german(text), **options)

    def get_by_text(self, text: str | re.Pattern[str], **options: Any) -> Any:
        named = german(text) if isinstance(text, str) else text
        return self._page.get_by_text(named, **options)

    def get_by_role(
        self, role: Any, *, name: str | re.Pattern[str] | None = None, **options: Any
    ) -> Any:
        # Patterns are for names of people, which are the same in every language.
        named: dict[str, Any] = {} if name is None else {"name": name}
        if isinstance(name, str):
            named["name"] = german(name)
        return self._page.get_by_role(role, **named, **options)


class GermanVisitor(Visitor):
    """A person at a browser that asks for German."""

    def __init__(self, browser: Browser, service: Service, **options: Any) -> None:
        super().__init__(browser, service, locale="de-DE", **options)
        self.plain = self.page
        wrapped: Any = GermanPage(self.page)
        self.page = wrapped
