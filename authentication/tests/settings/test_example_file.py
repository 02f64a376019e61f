""".env.example names every variable of the settings."""

from pathlib import Path

from django.conf import settings

from .reader import read_by_settings


def test_the_example_file_lists_exactly_the_variables_that_are_read() -> None:
    example = Path(settings.BASE_DIR) / ".env.example"
    assert example.is_file(), (
        "There is no .env.example: it names and explains every variable the settings read."
    )

    lines = (line.strip() for line in example.read_text(encoding="utf-8").splitlines())
    named = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]

    assert len(named) == len(set(named))
    assert {
        "missing": read_by_settings() - set(named),
        "made up": set(named) - read_by_settings(),
    } == {
        "missing": set(),
        "made up": set(),
    }
