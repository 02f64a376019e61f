"""django-debug-toolbar, added to the settings as its documentation says."""

import subprocess
import sys
from pathlib import Path

import pytest

from .reader import clean_environment

SETTINGS = """
from vineyard_group_fellowship.settings.local import *

INSTALLED_APPS += ["debug_toolbar"]
MIDDLEWARE += ["debug_toolbar.middleware.DebugToolbarMiddleware"]
"""
REQUEST = """
import django
django.setup()
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
answer = Client(headers={"Host": "localhost"}).get("/account/forgot-password/")
print(answer.status_code, b"djDebug" in answer.content)
"""


@pytest.mark.slow
def test_the_toolbar_is_on_the_pages(tmp_path: Path) -> None:
    (tmp_path / "with_toolbar.py").write_text(SETTINGS)
    environment = clean_environment(
        DJANGO_SETTINGS_MODULE="with_toolbar",
        PYTHONPATH=str(tmp_path),
        SQLITE_PATH=":memory:",
    )

    process = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", REQUEST],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert process.stdout.split("\n")[-2] == "200 True", process.stdout + process.stderr
