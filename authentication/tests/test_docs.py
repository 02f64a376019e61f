"""The documents name tests that exist, and link to what exists."""

import re
from pathlib import Path

from django.conf import settings

from authentication.api import problem_index
from authentication.api.problem_schema import problem_kinds

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


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", it.lower()).replace(" ", "-") for it in headings}


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    documents = [
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "clients").glob("*/*.md")),
    ]
    broken = []

    for document in documents:
        text = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?s)```.*?```", "", text)):
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            if link.startswith("http"):
                continue
            if not target.exists() or (
                anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
            ):
                broken.append((document.name, link))

    assert len(documents) > 8
    assert broken == []


def test_the_index_of_problem_codes_is_fresh() -> None:
    written = (ROOT / "docs/problems.md").read_text(encoding="utf-8")

    assert written == problem_index.markdown(), "run make openapi"


def test_every_problem_code_says_what_a_client_does() -> None:
    kinds = {(kind.code, kind.status) for kind in problem_kinds()}

    assert problem_index.ADVICE.keys() == kinds
