"""The files that selection.py names exist."""

import re

from . import selection


def test_every_pattern_names_a_file() -> None:
    assert selection.unused() == []


def test_every_file_that_is_left_out_without_servers_says_that_it_needs_them() -> None:
    left_out = [
        path for pattern in selection.ONLY_ON_SERVERS for path in selection.TESTS.glob(pattern)
    ]
    marked = re.compile(
        r"^pytestmark = [^\n]*(?:\n    [^\n]*)*pytest\.mark\.services", re.MULTILINE
    )

    assert left_out
    assert [it for it in left_out if not marked.search(it.read_text(encoding="utf-8"))] == []


def test_files_are_found_by_their_folder_and_name() -> None:
    patterns = ("api/test_*_page*.py",)
    found = {
        name: selection.is_in(selection.TESTS / name, patterns)
        for name in ("api/test_verify_email_page.py", "api/test_login.py", "api/conftest.py")
    }

    assert found == {
        "api/test_verify_email_page.py": True,
        "api/test_login.py": False,
        "api/conftest.py": False,
    }
