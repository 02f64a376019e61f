"""The settings: what starts the service, and what stops it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from vineyard_group_fellowship.settings import base

from .cases import BAD_VALUES, WEAK_PRODUCTION
from .reader import DEVELOPMENT, GOOD_PRODUCTION, clean_environment, read_all

MODES: dict[str, dict[str, str]] = {
    "embedded": {},
    "services": {
        "DATABASE_URL": "postgres://ruth:moab@db.internal:5433/vgf",
        "REDIS_URL": "redis://cache.internal:6379/0",
        "REDIS_PASSWORD": "p@ss",
        "DB_HOST": "another.internal",
    },
    "by parts": {
        "DB_HOST": "db.internal",
        "DB_NAME": "vgf",
        "DB_USER": "ruth",
        "DB_PASSWORD": "moab",
    },
    "by Railway's names": {
        "PGHOST": "db.internal",
        "PGDATABASE": "vgf",
        "PGUSER": "ruth",
        "PGPORT": "5433",
    },
    "broker of its own": {
        "REDIS_URL": "redis://cache.internal:6379/0",
        "CELERY_BROKER_URL": "redis://b.internal:6379/1",
    },
    "SendGrid": {"SENDGRID_API_KEY": "SG.key"},
    "SMTP": {"EMAIL_HOST": "mail.internal", "EMAIL_PORT": "587", "SENDGRID_API_KEY": "SG.key"},
    "catcher": {"EMAIL_CATCHER": "mail:1025"},
    "catcher and SMTP": {"EMAIL_CATCHER": "mail:1025", "EMAIL_HOST": "mail.internal"},
    "catcher and SendGrid": {"EMAIL_CATCHER": "mail:1025", "SENDGRID_API_KEY": "SG.key"},
    "one key for everything": {
        "SECRET_KEY": "new",
        "SECRET_KEY_FALLBACKS": "old",
        "JWT_SIGNING_KEY_FALLBACKS": "older",
    },
    "a key of tokens' own": {
        "SECRET_KEY": "new",
        "SECRET_KEY_FALLBACKS": "old",
        "JWT_SIGNING_KEY": "tokens",
    },
    "production": GOOD_PRODUCTION,
}


def unnamed(
    outcomes: list[Any], cases: list[tuple[str, str]], start: str
) -> list[tuple[str, str, Any]]:
    """Return the cases that did not stop the start, or stopped it without naming their variable."""
    return [
        (name, value, outcome)
        for outcome, (name, value) in zip(outcomes, cases, strict=True)
        if not (isinstance(outcome, str) and outcome.startswith(start) and name in outcome)
    ]


@pytest.mark.slow
def test_each_bad_value_stops_the_start_and_its_variable_is_named() -> None:
    outcomes = read_all([DEVELOPMENT | {name: value} for name, value in BAD_VALUES])

    assert unnamed(outcomes, BAD_VALUES, "ImproperlyConfigured: ") == []
    assert "moab" not in json.dumps(outcomes), "A refusal repeats a password."


def test_production_refuses_weak_settings_and_names_all_of_them() -> None:
    bare = {"DJANGO_ENVIRONMENT": "production"}

    # Mailpit is for development and does not send mails.
    bare["EMAIL_CATCHER"] = "mail:1025"
    everything, *outcomes = read_all(
        [bare, *(GOOD_PRODUCTION | {name: value} for name, value in WEAK_PRODUCTION)]
    )

    start = "ImproperlyConfigured: Production does not start: "
    assert unnamed(outcomes, WEAK_PRODUCTION, start) == []
    missing = [*(name for name, value in WEAK_PRODUCTION if not value), "JWT_SIGNING_KEY"]
    assert [name for name in missing if name not in everything] == []
    assert "DEBUG" not in everything
    assert not {secret for secret in ("moab", "s" * 49, "j" * 31) if secret in json.dumps(outcomes)}


def test_production_names_malformed_missing_and_weak_settings_together() -> None:
    malformed = dict(BAD_VALUES) | {"CORS_ALLOWED_ORIGINS": "*"}
    del malformed["DJANGO_ENVIRONMENT"]
    weak = {
        "DB_HOST": "database",
        "DB_PASSWORD": "development-only",
        "METRICS_TOKEN": "short",
        "ALLOWED_HOSTS": "*",
    }

    refusal, by_parts = read_all(
        [{"DJANGO_ENVIRONMENT": "production"} | it for it in (malformed, weak)]
    )

    assert {name for name in malformed if name not in refusal} == set()
    assert "SECRET_KEY must have" in refusal
    assert {name for name in weak if f"{name} must" not in by_parts} == {"DB_HOST"}


def test_a_refusal_does_not_quote_a_password() -> None:
    named = ("DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "CELERY_BROKER_URL", "SENTRY_DSN")

    outcomes = read_all([DEVELOPMENT | {name: "ruth:moab@db.internal"} for name in named])

    assert [
        outcome for outcome, name in zip(outcomes, named, strict=True) if name not in outcome
    ] == []
    assert "moab" not in json.dumps(outcomes)


def test_an_empty_variable_counts_as_unset() -> None:
    names = {name for name, _ in BAD_VALUES} - {"DJANGO_ENVIRONMENT"}

    assert read_all([DEVELOPMENT | dict.fromkeys(names, "")], "PASSWORD_MIN_LENGTH") == [
        {"PASSWORD_MIN_LENGTH": "8"}
    ]


EXPECTED: list[tuple[str, str, str]] = [
    ("embedded", "DATABASES", "django.db.backends.sqlite3"),
    ("embedded", "CACHES", "locmem"),
    ("embedded", "CELERY_BROKER_URL", "''"),
    ("embedded", "EMAIL_BACKEND", "'authentication.services.mail.file_backend.FileMailbox'"),
    ("services", "DATABASES", "'HOST': 'db.internal', 'PORT': 5433"),
    ("services", "CACHES", "redis://:p%40ss@cache.internal:6379/0"),
    ("services", "CELERY_BROKER_URL", "'redis://:p%40ss@cache.internal:6379/0'"),
    (
        "by parts",
        "DATABASES",
        "'NAME': 'vgf', 'USER': 'ruth', 'PASSWORD': 'moab', 'HOST': 'db.internal', 'PORT': 5432",
    ),
    (
        "by Railway's names",
        "DATABASES",
        "'NAME': 'vgf', 'USER': 'ruth', 'PASSWORD': '', 'HOST': 'db.internal', 'PORT': 5433",
    ),
    ("broker of its own", "CELERY_BROKER_URL", "'redis://b.internal:6379/1'"),
    ("SendGrid", "EMAIL_BACKEND", "'anymail.backends.sendgrid.EmailBackend'"),
    ("SMTP", "EMAIL_BACKEND", "'django.core.mail.backends.smtp.EmailBackend'"),
    ("catcher", "EMAIL_HOST", "'mail'"),
    ("catcher", "EMAIL_PORT", "1025"),
    ("catcher and SMTP", "EMAIL_HOST", "'mail.internal'"),
    ("catcher and SMTP", "EMAIL_PORT", "25"),
    ("catcher and SendGrid", "EMAIL_BACKEND", "'anymail.backends.sendgrid.EmailBackend'"),
    ("one key for everything", "JWT_SIGNING_KEY_FALLBACKS", "['older', 'old']"),
    ("a key of tokens' own", "JWT_SIGNING_KEY_FALLBACKS", "[]"),
    ("production", "DATABASES", "'django.contrib.gis.db.backends.postgis'"),
    ("production", "DEBUG", "False"),
    ("production", "PASSWORD_MIN_LENGTH", "12"),
    ("production", "CELERY_BROKER_URL", "'redis://cache.internal:6379/0'"),
]


def test_the_environment_chooses_the_mode() -> None:
    wanted = sorted({name for _, name, _ in EXPECTED})

    outcomes = dict(
        zip(
            MODES,
            read_all([DEVELOPMENT | values for values in MODES.values()], *wanted),
            strict=True,
        )
    )

    assert [
        (mode, name, outcomes[mode])
        for mode, name, value in EXPECTED
        if value not in outcomes[mode][name]
    ] == []


def test_the_start_stops_and_says_why() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env=clean_environment(DJANGO_ENVIRONMENT="development", MAX_ACTIVE_SESSIONS="many"),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode != 0
    assert done.stderr.rstrip().endswith("MAX_ACTIVE_SESSIONS must be a whole number, not 'many'.")


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_command_leaves_no_files_of_counters(tmp_path: Path, folder: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import django; django.setup(); import authentication.utils.metrics",
        ],
        env=clean_environment(
            PROMETHEUS_MULTIPROC_DIR=folder,
            PYTHONPATH=str(settings.BASE_DIR),
            DJANGO_ENVIRONMENT="development",
            SQLITE_PATH=str(tmp_path / "var" / "db.sqlite3"),
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [it.name for it in tmp_path.iterdir()] == ["var"]


def test_the_tests_have_their_own_environment() -> None:
    # Any other environment reads the machine's .env file, and looks up passwords on the Internet.
    assert base.ENVIRONMENT == "test"
    assert settings.HIBP_ENABLED is False
