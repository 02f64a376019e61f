"""The documents name tests that exist."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TESTS = ROOT / "authentication/tests"
REFERENCE = re.compile(r"`((?:\w+/)*test_\w+\.py)?((?:::\w+)*)`")


def references(text: str) -> list[tuple[str, str]]:
    """Return each file of tests that a document names, and a class or test in it."""
    found, file = [], ""
    for match in REFERENCE.finditer(" ".join(text.split())):
        file = match[1] or file
        if match[1] or match[2]:
            found.append((file, match[2].rpartition("::")[2]))
    return found


def test_every_promise_of_security_md_names_tests_that_exist() -> None:
    named = references((ROOT / "docs/security.md").read_text(encoding="utf-8"))

    assert len(named) > 100
    assert [file for file, _ in named if not (TESTS / file).is_file()] == []
    assert [
        (file, name)
        for file, name in named
        if not re.search(rf"\b(class|def) {name}\b", (TESTS / file).read_text(encoding="utf-8"))
        and name
    ] == []
