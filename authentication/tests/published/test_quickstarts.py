"""The quickstarts show files that are tested, and settings that are read."""

import re
from pathlib import Path

from django.conf import settings

from authentication.tests.settings.reader import DEVELOPMENT, read_all
from vineyard_group_fellowship.env_file import parse

ROOT = Path(settings.BASE_DIR)
PAGES = sorted((ROOT / "docs/quickstarts").glob("*.md"))
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """Return the page, the title and the text of each block."""
    return [
        (page.name, found["info"].partition("title=")[2], found["text"])
        for page in PAGES
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


def test_every_block_is_a_file_that_is_tested() -> None:
    files = [(page, title, text) for page, title, text in blocks() if title != ".env"]

    assert len(files) > 8
    assert [
        (page, title)
        for page, title, text in files
        if not (ROOT / title).is_file() or (ROOT / title).read_text(encoding="utf-8") != text
    ] == []


def test_the_settings_of_the_quickstarts_start_the_service() -> None:
    texts = [text for _, title, text in blocks() if title == ".env"]

    for text in texts:
        named, faults = parse(text)
        (read,) = read_all([{**DEVELOPMENT, **named}])
        assert faults == []
        assert read["CORS_ALLOWED_ORIGINS"] == repr([named["CORS_ALLOWED_ORIGINS"]])
        assert read["FRONTEND_URL"] == repr(named["FRONTEND_URL"])
    assert texts
