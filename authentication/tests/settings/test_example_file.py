""".env.example: it names every variable of the settings, and a copy of it changes none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from vineyard_group_fellowship.env_file import parse

from .reader import DEVELOPMENT, GOOD_PRODUCTION, clean_environment, read_all, read_by_settings
from .test_settings import MODES

EXAMPLE = (Path(settings.BASE_DIR) / ".env.example").read_text(encoding="utf-8")
# A default of development, which is commented out.
DEFAULT = re.compile(r"^#(?=\w+=)", re.MULTILINE)


def test_the_example_lists_exactly_the_variables_that_are_read() -> None:
    named = re.findall(r"^#?(\w+)=", EXAMPLE, re.MULTILINE)

    assert len(named) == len(set(named))
    assert {
        "missing": read_by_settings() - set(named),
        "made up": set(named) - read_by_settings(),
    } == {
        "missing": set(),
        "made up": set(),
    }


def test_a_copy_weakens_nothing_in_production() -> None:
    copied, faults = parse(EXAMPLE)

    of_a_copy, of_none = read_all([{**copied, **GOOD_PRODUCTION}, GOOD_PRODUCTION])

    assert faults == []
    assert set(copied.values()) == {""}
    assert len(of_none) > 100
    assert of_a_copy == of_none


def test_the_values_are_the_defaults_of_development() -> None:
    every, faults = parse(DEFAULT.sub("", EXAMPLE))

    of_every, of_none = read_all([every, DEVELOPMENT])

    assert faults == []
    assert len(every) > len(parse(EXAMPLE)[0]) + 50
    stated = {"CLIENT_ADDRESS_IS_STATED": "True", "SQLITE_PATH": of_none["SQLITE_PATH"]}
    stated["DATABASES"] = of_none["DATABASES"]
    assert {**of_every, **stated} == {**of_none, "CLIENT_ADDRESS_IS_STATED": "True"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["embedded", "services", "production"])
def test_every_name_of_the_example_is_read_in_every_mode(mode: str) -> None:
    script = "from vineyard_group_fellowship.settings import env; print(*env.names)"
    done = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", script],
        env=clean_environment(**{**DEVELOPMENT, **MODES[mode]}),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    named = set(re.findall(r"^#?(\w+)=", EXAMPLE, re.MULTILINE))
    assert named - set(done.stdout.split()) == set()
