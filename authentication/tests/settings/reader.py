"""Reads the settings in a process of its own, for the environments of a test."""

import atexit
import functools
import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings

# Reads a line of environments and names, and for each environment the settings; prints a line
# with their values, or with the refusals.
_READER = """
import importlib, json, os, re, sys
clean = dict(os.environ)
def read(case, wanted):
    os.environ.clear()
    os.environ.update({**clean, **case})
    for name in [name for name in sys.modules if name.startswith("vineyard_group_fellowship")]:
        del sys.modules[name]
    try:
        module = importlib.import_module("vineyard_group_fellowship.settings")
        every = [name for name in dir(module) if name.isupper()]
        values = {name: repr(getattr(module, name, None)) for name in wanted or every}
        return {name: re.sub(" at 0x[0-9a-f]+", "", value) for name, value in values.items()}
    except Exception as error:
        return f"{type(error).__name__}: {error}"
for line in sys.stdin:
    cases, wanted = json.loads(line)
    print(json.dumps([read(case, wanted) for case in cases]), flush=True)
"""
_SETTINGS = "vineyard_group_fellowship.settings"

DEVELOPMENT = {"DJANGO_ENVIRONMENT": "development"}

GOOD_PRODUCTION = {
    "DJANGO_ENVIRONMENT": "production",
    "SECRET_KEY": "s" * 50,
    "JWT_SIGNING_KEY": "j" * 32,
    "FIELD_ENCRYPTION_KEYS": "f" * 32,
    "DATABASE_URL": "postgres://ruth:moab@db.internal:5432/vgf",
    "REDIS_URL": "redis://cache.internal:6379/0",
    "ALLOWED_HOSTS": "auth.example.org",
    "BACKEND_URL": "https://auth.example.org",
    "CORS_ALLOWED_ORIGINS": "https://www.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://www.example.org",
    "EMAIL_HOST": "mail.internal",
}


def clean_environment(**values: str) -> dict[str, str]:
    """The process's environment, without what configures this service."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    return (
        {name: os.environ[name] for name in kept if name in os.environ}
        | {"DJANGO_SETTINGS_MODULE": _SETTINGS}
        | values
    )


@functools.cache
def _reader() -> "subprocess.Popen[str]":
    """Return the process that reads settings: starting one for every test takes a second each."""
    reader = subprocess.Popen(  # noqa: S603 -- our own interpreter and script
        [sys.executable, "-c", _READER],
        env=clean_environment(),
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(reader.communicate)
    return reader


def read_all(cases: list[dict[str, str]], *wanted: str) -> list[Any]:
    """Return for each environment the settings wanted, by default all, or the refusal's text."""
    reader = _reader()
    assert reader.stdin
    assert reader.stdout
    reader.stdin.write(json.dumps([cases, wanted]) + "\n")
    reader.stdin.flush()
    outcomes: list[Any] = json.loads(reader.stdout.readline())
    return outcomes


@functools.cache
def read_by_settings() -> set[str]:
    """Return the names of all variables that the settings of any environment read."""
    script = """
import contextlib, importlib, json
from django.core.exceptions import ImproperlyConfigured
for name in ("local", "production"):
    with contextlib.suppress(ImproperlyConfigured):
        importlib.import_module(f"vineyard_group_fellowship.settings.{name}")
from vineyard_group_fellowship.settings.env import env
print(json.dumps(sorted(env.names)))
"""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_ENVIRONMENT": "test",
        "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings.local",
    }
    ran = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ran.stdout))
