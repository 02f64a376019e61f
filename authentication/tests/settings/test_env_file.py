"""The .env file: its form, its names, and that it reaches what it configures."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from authentication.tests.faults.rig import free_port, is_up, until
from vineyard_group_fellowship.env_file import meant, parse
from vineyard_group_fellowship.settings.env import Environment

from .reader import clean_environment

ROOT = Path(settings.BASE_DIR)
# Granian's line about a process that it starts, and gunicorn's.
PROCESS = re.compile(r"Spawning worker-\d|Booting worker with pid")


# Its form. What docker compose reads is in the comments where it differs.


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("moab", "moab"),
        ("A Name <ruth@example.org>", "A Name <ruth@example.org>"),
        (" moab ", "moab"),
        ("'a$b#c\"d\\e'", 'a$b#c"d\\e'),
        ("' a '", " a "),
        ('"it\'s #1"', "it's #1"),
        ("''", ""),
        ('""', ""),
        ("postgres://ruth:m%24ab@db/vgf?sslmode=verify-full", None),
    ],
)
def test_a_value_means_what_docker_compose_reads(written: str, read: str | None) -> None:
    text = f"# a comment\n\nexport NAME={written}\n"

    assert parse(text) == ({"NAME": written if read is None else read}, [])


@pytest.mark.parametrize(
    "value",
    [
        "zz$q",  # zz
        "zz #q",  # zz
        "zz#q",
        "#zzq",
        'zz"q',
        "zz'q",
        '"zz$q"',  # zz
        '"zz\\nq"',  # two lines
        '"zzq',
        "'zzq",
        "'zz'q'",
        "'zzq\\'",  # goes on in the next line
        "'zzq' # a comment",
    ],
)
def test_a_value_that_docker_compose_reads_differently_is_refused(value: str) -> None:
    values, faults = parse(f"PORT=1\nNAME={value}\n")

    assert values == {"PORT": "1"}
    assert len(faults) == 1
    assert faults[0].startswith("The value of NAME in .env must stand in single quotes: ")
    assert "zz" not in faults[0]


@pytest.mark.parametrize(
    "line", ["moab", "SECRET_KEY: moab", "SECRET_KEY = moab", " SECRET_KEY=moab"]
)
def test_a_malformed_line_is_refused_and_not_quoted(line: str) -> None:
    assert parse(f"# a comment\n{line}\n") == (
        {},
        ["Line 2 of .env is not an assignment such as NAME=value"],
    )


def test_the_environment_of_the_process_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("\ufeffVGF_IN_BOTH=file\nVGF_IN_FILE='a b'\r\n\n", encoding="utf-8")
    monkeypatch.setenv("VGF_IN_BOTH", "process")
    # Known to monkeypatch, so that it is gone after the test.
    monkeypatch.setenv("VGF_IN_FILE", "")
    monkeypatch.delenv("VGF_IN_FILE")
    env = Environment(os.environ)

    env.read_file(path)

    assert (env.text("VGF_IN_BOTH"), env.text("VGF_IN_FILE")) == ("process", "a b")


def test_without_a_file_nothing_happens(tmp_path: Path) -> None:
    env = Environment({})

    env.read_file(tmp_path / ".env")

    assert (env.text("PORT", "default"), env.unknown_names()) == ("default", [])


# Its names.

KNOWN = {"PORT", "DEBUG", "ADMIN_REQUIRE_OTP", "PASSWORD_MIN_LENGTH", "EMAIL_USE_TLS"}


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("ADMIN_REQURE_OTP", "ADMIN_REQUIRE_OTP"),
        ("ADMIN_REQUIRE_TOPT", "ADMIN_REQUIRE_OTP"),
        ("admin_require_otp", "ADMIN_REQUIRE_OTP"),
        ("PASSWORT_MIN_LENGHT", "PASSWORD_MIN_LENGTH"),
        ("EMAIL_USE_TSL", "EMAIL_USE_TLS"),
        ("DEBGU", "DEBUG"),
        ("port", "PORT"),
        ("HOST", None),
        ("DBG", None),
        ("ADMIN_OTP", None),
        ("PASSWORD_MAX_AGE", None),
    ],
)
def test_a_name_close_to_a_known_one_is_a_misspelling(name: str, right: str | None) -> None:
    assert meant(name, KNOWN) == right


def project(folder: Path, text: str) -> Path:
    """Return a copy of the project with this `.env` file."""
    for name in ("authentication", "templates"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "vineyard_group_fellowship", folder / "vineyard_group_fellowship")
    for name in ("manage.py", "serve.py", "gunicorn.conf.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".env").write_text(text, encoding="utf-8")
    return folder


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, *command],
        cwd=folder,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("module", ["", ".local"])
def test_a_misspelt_name_stops_the_start(tmp_path: Path, module: str) -> None:
    done = run(
        project(tmp_path, "ADMIN_REQURE_OTP=moab\n"),
        "manage.py",
        "check",
        DJANGO_SETTINGS_MODULE=f"vineyard_group_fellowship.settings{module}",
    )

    assert done.returncode != 0
    assert done.stderr.rstrip().endswith(
        "ADMIN_REQURE_OTP in .env is not a setting of this service, but ADMIN_REQUIRE_OTP is."
    )


@pytest.mark.slow
def test_a_settings_module_in_the_file_comes_too_late(tmp_path: Path) -> None:
    text = "DJANGO_SETTINGS_MODULE=vineyard_group_fellowship.settings.production\n"

    done = run(project(tmp_path, text), "manage.py", "check")

    assert done.returncode != 0
    assert done.stderr.rstrip().endswith(
        "DJANGO_SETTINGS_MODULE in .env comes too late: set DJANGO_ENVIRONMENT there."
    )


@pytest.mark.slow
def test_production_names_a_misspelt_name_with_all_other_faults(tmp_path: Path) -> None:
    done = run(
        project(tmp_path, "ADMIN_REQURE_OTP=moab\nDJANGO_ENVIRONMENT=production\n"),
        "manage.py",
        "check",
    )

    assert "ADMIN_REQURE_OTP in .env" in done.stderr
    assert "SECRET_KEY must have" in done.stderr
    assert "moab" not in done.stderr


@pytest.mark.slow
def test_other_unknown_names_are_logged(tmp_path: Path) -> None:
    text = "SETTING_OF_A_LATER_VERSION=moab\nCOMPOSE_PROJECT_NAME=vgf\nLOG_FORMAT=json\n"

    done = run(project(tmp_path, text), "manage.py", "check", VGF_UNKNOWN="moab")

    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "unknown_setting" in line]
    assert '"setting": "SETTING_OF_A_LATER_VERSION"' in line
    assert not {name for name in ("moab", "COMPOSE", "VGF_UNKNOWN") if name in done.stderr}


# What it reaches.

SERVERS = {
    "serve.py": ["serve.py"],
    "make run": ["serve.py", "--or-runserver"],
    "gunicorn": ["-m", "gunicorn", "vineyard_group_fellowship.wsgi:application"],
}


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_port_and_processes_reach_the_server(tmp_path: Path, server: str) -> None:
    port, log = free_port(), tmp_path / "log"
    text = f"PORT={port}\nWEB_CONCURRENCY=3\nLOG_FORMAT=json\nPROMETHEUS_MULTIPROC_DIR={tmp_path}\n"
    with log.open("wb") as written:
        running = subprocess.Popen(  # noqa: S603 -- our own words
            [sys.executable, *SERVERS[server]],
            cwd=project(tmp_path, text),
            env=clean_environment(),
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    try:
        until(lambda: is_up(port), seconds=40, what="the server")
        if server != "make run":
            until(lambda: len(PROCESS.findall(log.read_text())) == 3, what="three processes")
    finally:
        # Django's development server is a process of its own.
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(40)


def test_make_leaves_the_port_to_the_settings() -> None:
    assert not re.search(r"^(export )?PORT\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
