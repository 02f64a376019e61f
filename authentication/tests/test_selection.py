"""The files that selection.py names exist."""

from . import selection


def test_every_pattern_names_a_file() -> None:
    assert selection.unused() == []


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
