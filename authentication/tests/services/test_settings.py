"""The settings: what starts the service, and what stops it."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from vineyard_group_fellowship.settings import base
from vineyard_group_fellowship.settings.env import Environment

# Reads the settings once for each environment it is given; prints what they say, or why they do
# not.
_READER = """
import importlib, json, os, sys
cases, wanted = json.load(sys.stdin)
clean, outcomes = dict(os.environ), []
for case in cases:
    os.environ.clear()
    os.environ.update({**clean, **case})
    for name in [name for name in sys.modules if name.startswith("vineyard_group_fellowship")]:
        del sys.modules[name]
    try:
        module = importlib.import_module("vineyard_group_fellowship.settings")
        outcomes.append({name: repr(getattr(module, name, None)) for name in wanted})
    except Exception as error:
        outcomes.append(f"{type(error).__name__}: {error}")
print(json.dumps(outcomes))
"""
_SETTINGS = "vineyard_group_fellowship.settings"

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


def read_all(cases: list[dict[str, str]], *wanted: str) -> list[Any]:
    """Return for each environment the settings wanted, or the refusal's text."""
    done = subprocess.run(  # noqa: S603 -- our own interpreter and script
        [sys.executable, "-c", _READER],
        input=json.dumps([cases, wanted]),
        env=clean_environment(),
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    outcomes: list[Any] = json.loads(done.stdout)
    return outcomes


# One bad value for each kind of variable, and for most variables.
_NUMBERS = {
    "PORT": "65536",
    "ARGON2_TIME_COST": "1",
    "ARGON2_MEMORY_KIB": "19455",
    "ARGON2_PARALLELISM": "0",
    "PASSWORD_MIN_LENGTH": "7",
    "PASSWORD_HISTORY_LIMIT": "-1",
    "ACCOUNT_LOCKOUT_THRESHOLD": "1",
    "ACCOUNT_LOCKOUT_MINUTES": "0",
    "EMAIL_VERIFICATION_HOURS": "169",
    "EXCHANGE_TOKEN_SECONDS": "9",
    "MAX_ACTIVE_SESSIONS": "0",
    "SESSION_LIFETIME_DAYS": "91",
    "SESSION_REMEMBERED_LIFETIME_DAYS": "0",
    "SESSION_ABSOLUTE_LIFETIME_DAYS": "366",
    "REFRESH_REUSE_GRACE_SECONDS": "61",
    "QUERY_BUDGET": "0",
    "TRUSTED_PROXY_COUNT": "11",
    "EMAIL_PORT": "0",
    "EMAIL_SWEEP_SECONDS": "0",
    "EMAIL_LEASE_SECONDS": "0",
    "WEB_CONCURRENCY": "0",
    "WEB_THREADS": "0",
    "DB_POOL_SIZE": "201",
    "DB_STATEMENT_TIMEOUT_MS": "-1",
    "DB_LOCK_TIMEOUT_MS": "-1",
    "AUDIT_LOG_RETENTION_DAYS": "0",
    "SESSION_RETENTION_DAYS": "-1",
    "EMAIL_RETENTION_DAYS": "0",
    "UNVERIFIED_ACCOUNT_RETENTION_DAYS": "-1",
    "ACCOUNT_DELETION_GRACE_DAYS": "0",
    "SLOW_REQUEST_SECONDS": "-1",
}
_SWITCHES = (
    "REQUIRE_EMAIL_VERIFICATION",
    "REQUIRE_CONSENT",
    "REQUIRE_CURRENT_CONSENT",
    "PREVENT_EMAIL_ENUMERATION",
    "ENABLE_COOKIE_REFRESH_TOKEN",
    "REFRESH_TOKEN_COOKIE_SECURE",
    "SERVER_TIMING",
    "RATELIMIT_ENABLE",
    "EMAIL_USE_TLS",
    "EMAIL_USE_SSL",
    "DEBUG",
    "PGBOUNCER",
)
_LIMITS = (
    "REGISTER",
    "LOGIN",
    "TOKEN_REFRESH",
    "TOKEN_VERIFY",
    "EXCHANGE_TOKEN",
    "PASSWORD_CHANGE",
    "PASSWORD_RESET",
    "PASSWORD_RESET_CONFIRM",
    "EMAIL_VERIFY",
    "EMAIL_RESEND",
    "SESSIONS",
    "SESSIONS_TERMINATE_ALL",
    "CSRF",
    "ACTIVITY",
    "SESSION_DISOWN",
    "CONSENTS",
    "EMAIL_CHANGE",
    "NOTICES",
    "ACCOUNT_DATA",
)
BAD_VALUES: list[tuple[str, str]] = [
    *_NUMBERS.items(),
    *((name, "many") for name in _NUMBERS),
    *((name, "perhaps") for name in _SWITCHES),
    *((f"RATELIMIT_{name}", "25 per hour") for name in _LIMITS),
    ("RATELIMIT_LOGIN", "0/h"),
    ("RATELIMIT_LOGIN", "-5/h"),
    ("RATELIMIT_LOGIN", "25/w"),
    ("RATELIMIT_LOGIN", "25"),
    ("RATELIMIT_LOGIN", "25/h\n"),
    ("RATELIMIT_ALLOWLIST", "10.0.0.0/33"),
    ("RATELIMIT_ALLOWLIST", "10.0.0.0/8,office"),
    ("DJANGO_ENVIRONMENT", "staging"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("REFRESH_TOKEN_COOKIE_SAMESITE", "lax"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("CORS_ALLOWED_ORIGINS", "https://*.example.org"),
    ("CORS_ALLOWED_ORIGINS", "www.example.org"),
    ("CORS_ALLOWED_ORIGINS", "https://www.example.org/"),
    ("CSRF_TRUSTED_ORIGINS", "ftp://www.example.org"),
    ("FRONTEND_URL", "www.example.org"),
    ("BACKEND_URL", "javascript:alert(1)"),
    ("EMAIL_VERIFICATION_URL", "https://www.example.org/verify"),
    ("PASSWORD_RESET_URL", "https://www.example.org/reset?token="),
    ("EMAIL_VERIFIED_URL", "https://www.example.org/"),
    ("CLIENT_IP_HEADER", "X Real IP"),
    ("CLIENT_IP_HEADER", "X-Real-IP: 1"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://localhost:6379"),
    ("DATABASE_URL", "postgres://ruth:moab@db.internal:many/vgf"),
    ("DATABASE_URL", "nonsense"),
    ("DATABASE_URL", "host=localhost dbname=vgf"),
    ("DATABASE_URL", "ftp://db.internal/vgf"),
    ("CELERY_BROKER_URL", "nonsense"),
    ("SENTRY_DSN", "nonsense"),
    ("REFRESH_TOKEN_COOKIE_NAME", "refresh token;"),
    ("EMAIL_CATCHER", "mail"),
    ("TERMS_VERSION", "a version"),
    ("PRIVACY_POLICY_VERSION", "v" * 33),
    ("DISOWN_SESSION_URL", "https://www.example.org/not-me"),
    ("EMAIL_CHANGE_URL", "https://www.example.org/change"),
    ("EMAIL_UNDO_URL", "https://www.example.org/undo"),
    ("EXPORT_URL", "https://www.example.org/export"),
    ("DATABASE_REPLICA_URL", "nonsense"),
    ("SENDGRID_WEBHOOK_KEY", "nonsense"),
    ("SENDGRID_WEBHOOK_KEY", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"),
    # A key, and not on a curve.
    ("SENDGRID_WEBHOOK_KEY", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="),
    ("DB_PORT", "many"),
    ("PGPORT", "many"),
]
LINKS = (
    "FRONTEND_URL",
    "EMAIL_VERIFICATION_URL",
    "PASSWORD_RESET_URL",
    "DISOWN_SESSION_URL",
    "EMAIL_CHANGE_URL",
    "EMAIL_UNDO_URL",
    "EXPORT_URL",
    "EMAIL_VERIFIED_URL",
)
WEAK_PRODUCTION: list[tuple[str, str]] = [
    ("SECRET_KEY", ""),
    ("SECRET_KEY", "s" * 49),
    ("JWT_SIGNING_KEY", "j" * 31),
    ("FIELD_ENCRYPTION_KEYS", ""),
    ("FIELD_ENCRYPTION_KEYS", "f" * 31),
    ("FIELD_ENCRYPTION_KEYS", f"{'f' * 32},{'s' * 50}"),
    ("DEBUG", "True"),
    ("ALLOWED_HOSTS", ""),
    ("ALLOWED_HOSTS", "*"),
    ("ALLOWED_HOSTS", "auth.example.org,*.example.org"),
    ("CORS_ALLOWED_ORIGINS", ""),
    ("CSRF_TRUSTED_ORIGINS", ""),
    ("BACKEND_URL", ""),
    ("BACKEND_URL", "http://auth.example.org"),
    ("CORS_ALLOWED_ORIGINS", "http://www.example.org"),
    ("CSRF_TRUSTED_ORIGINS", "https://www.example.org,http://www.example.org"),
    ("REFRESH_TOKEN_COOKIE_SECURE", "False"),
    ("DATABASE_URL", ""),
    ("REDIS_URL", ""),
    ("EMAIL_HOST", ""),
    ("SECRET_KEY", "insecure-development-only-key-never-used-in-production"),
    ("SECRET_KEY_FALLBACKS", f"{'o' * 50},{'o' * 49}"),
    ("JWT_SIGNING_KEY_FALLBACKS", "o" * 31),
    ("REDIS_PASSWORD", "development-only"),
    *((name, "http://www.example.org/{token}{exchange_token}") for name in LINKS),
]
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


DEVELOPMENT = {"DJANGO_ENVIRONMENT": "development"}


def unnamed(
    outcomes: list[Any], cases: list[tuple[str, str]], start: str
) -> list[tuple[str, str, Any]]:
    """Return the cases that did not stop the start, or stopped it without naming their variable."""
    return [
        (name, value, outcome)
        for outcome, (name, value) in zip(outcomes, cases, strict=True)
        if not (isinstance(outcome, str) and outcome.startswith(start) and name in outcome)
    ]


def test_each_bad_value_stops_the_start_and_its_variable_is_named() -> None:
    outcomes = read_all([DEVELOPMENT | {name: value} for name, value in BAD_VALUES])

    assert unnamed(outcomes, BAD_VALUES, "ImproperlyConfigured: ") == []
    assert "moab" not in json.dumps(outcomes), "A refusal repeats a password."


def test_production_does_not_start_with_a_weak_setting_and_names_all_faults_at_once() -> None:
    bare = {"DJANGO_ENVIRONMENT": "production"}

    # A machine of one's own has Mailpit; that is no way for production's mails.
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


def test_production_names_what_is_malformed_beside_what_is_missing_and_weak() -> None:
    malformed = dict(BAD_VALUES) | {"CORS_ALLOWED_ORIGINS": "*"}
    del malformed["DJANGO_ENVIRONMENT"]
    weak = {
        "DB_HOST": "database",
        "DB_PASSWORD": "development-only",
        "METRICS_TOKEN": "short",
        "ALLOWED_HOSTS": "*",
    }

    told, by_parts = read_all(
        [{"DJANGO_ENVIRONMENT": "production"} | it for it in (malformed, weak)]
    )

    assert {name for name in malformed if name not in told} == set()
    assert "SECRET_KEY must have" in told
    assert {name for name in weak if f"{name} must" not in by_parts} == {"DB_HOST"}


def test_a_refusal_repeats_no_password() -> None:
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


TOLD: list[tuple[str, str, str]] = [
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
    wanted = sorted({name for _, name, _ in TOLD})

    outcomes = dict(
        zip(
            MODES,
            read_all([DEVELOPMENT | values for values in MODES.values()], *wanted),
            strict=True,
        )
    )

    assert [
        (mode, name, outcomes[mode])
        for mode, name, told in TOLD
        if told not in outcomes[mode][name]
    ] == []


def test_the_start_itself_stops_and_says_why() -> None:
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


def test_the_tests_run_in_an_environment_of_their_own() -> None:
    # Any other reads the .env file of whoever runs them, and looks passwords up on the Internet.
    assert base.ENVIRONMENT == "test"
    assert settings.HIBP_ENABLED is False


@pytest.mark.parametrize("mode", ["embedded", "services", "production"])
def test_a_copy_of_the_example_starts_in_every_mode(mode: str) -> None:
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
    example = (Path(settings.BASE_DIR) / ".env.example").read_text(encoding="utf-8")

    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) - set(done.stdout.split()) == set()


# Reading one variable.


@pytest.mark.parametrize(("value", "found"), [("", "default"), ("a", "a"), (" a ", " a ")])
def test_text_is_taken_as_it_is(value: str, found: str) -> None:
    assert Environment({"NAME": value}).text("NAME", "default") == found
    assert Environment({}).text("NAME", "default") == "default"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *((text, True) for text in ("true", "True", "1", "yes", "ON", " 1 ")),
        *((text, False) for text in ("false", "0", "No", "off")),
        *((text, None) for text in ("", "  ")),
    ],
)
def test_a_switch_is_on_or_off(value: str, *, found: bool | None) -> None:
    for default in (True, False):
        read = Environment({"NAME": value}).boolean("NAME", default=default)
        assert read is (default if found is None else found)


@pytest.mark.parametrize("value", ["2", "y", "t", "tru", "enabled", "-1", "None"])
def test_a_switch_is_nothing_else(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="NAME must be true or false"):
        Environment({"NAME": value}).boolean("NAME", default=True)


@pytest.mark.parametrize(("value", "found"), [("", 5), ("2", 2), (" 9 ", 9), ("+3", 3)])
def test_a_number_lies_within_its_bounds(value: str, found: int) -> None:
    assert Environment({"NAME": value}).integer("NAME", 5, low=2, high=9) == found


@pytest.mark.parametrize(
    "value", ["1", "10", "-5", "5.0", "5e0", "0x5", "five", "5 5", "5,0", "inf"]
)
def test_a_number_is_nothing_else(value: str) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"NAME must be (between 2 and 9|a whole number), not "
    ):
        Environment({"NAME": value}).integer("NAME", 5, low=2, high=9)


@pytest.mark.parametrize("value", ["-0.1", "nan", "inf", "1e400", "one", "1,5"])
def test_a_fraction_lies_within_its_bounds_too(value: str) -> None:
    assert Environment({"NAME": "1.5"}).decimal("NAME", 1.0) == 1.5
    with pytest.raises(ImproperlyConfigured, match="NAME must be "):
        Environment({"NAME": value}).decimal("NAME", 1.0)


def test_a_list_is_written_with_commas() -> None:
    assert Environment({"NAME": " a, b ,,c,"}).items("NAME") == ["a", "b", "c"]
    assert Environment({}).items("NAME", "x,y") == ["x", "y"]


@pytest.mark.parametrize("value", ["A", "c", "a,b", " a"])
def test_a_choice_is_one_of_its_words(value: str) -> None:
    assert Environment({"NAME": "a"}).choice("NAME", "b", ("a", "b")) == "a"
    assert Environment({}).choice("NAME", "b", ("a", "b")) == "b"
    with pytest.raises(ImproperlyConfigured, match="NAME must be one of a, b, not "):
        Environment({"NAME": value}).choice("NAME", "b", ("a", "b"))


# The .env file.


def test_a_file_sets_what_the_process_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / ".env"
    path.write_text("# a comment\nVGF_IN_BOTH=file\nexport VGF_IN_FILE='a b'\n\n", encoding="utf-8")
    monkeypatch.setenv("VGF_IN_BOTH", "process")
    # Known to monkeypatch, so that it is gone after the test.
    monkeypatch.setenv("VGF_IN_FILE", "")
    monkeypatch.delenv("VGF_IN_FILE")
    env = Environment(os.environ)

    env.read_file(path)

    assert (env.text("VGF_IN_BOTH"), env.text("VGF_IN_FILE")) == ("process", "a b")


@pytest.mark.parametrize(
    "line", ["moab", "SECRET_KEY: moab", "SECRET_KEY = moab", " SECRET_KEY=moab"]
)
def test_a_line_that_sets_nothing_stops_the_start_and_is_not_repeated(
    tmp_path: Path, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"# a comment\n{line}\n", encoding="utf-8")

    with pytest.raises(ImproperlyConfigured) as refusal:
        Environment({}).read_file(path)

    assert str(refusal.value) == "Line 2 of .env is not an assignment such as NAME=value."
    assert caplog.text == ""


def test_without_a_file_nothing_happens(tmp_path: Path) -> None:
    env = Environment({})

    env.read_file(tmp_path / ".env")
    env.refuse_unknown(tmp_path / ".env")


@pytest.mark.parametrize(
    "line", ["PASSWORT_MIN_LENGTH=12", " PASSWORT_MIN_LENGTH = 12", "export PASSWORT_MIN_LENGTH=12"]
)
def test_a_name_in_the_file_that_no_setting_reads_stops_the_start(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"PORT=1\n{line}\n", encoding="utf-8")
    env = Environment({})
    env.text("PORT")
    env.text("PASSWORD_MIN_LENGTH")

    with pytest.raises(ImproperlyConfigured) as refusal:
        env.refuse_unknown(path)

    wanted = "PASSWORT_MIN_LENGTH in .env is not a setting of this service. Did you mean PASSWORD_MIN_LENGTH?"
    assert str(refusal.value) == wanted


def test_names_the_settings_read_and_comments_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# UNKNOWN=1\n\nPORT=1\nexport DEBUG=0\n", encoding="utf-8")
    env = Environment({})
    env.integer("PORT", 1)
    env.boolean("DEBUG", default=False)

    env.refuse_unknown(path)


class TestHowPostgreSQLIsReached:
    AT = {
        "DJANGO_ENVIRONMENT": "development",
        "DATABASE_URL": "postgres://ruth:moab@db.internal:5432/vgf",
    }

    def databases(self, **changed: str) -> dict[str, Any]:
        (outcome,) = read_all([{**self.AT, **changed}], "DATABASES", "REPORTS_DATABASE")
        found: dict[str, Any] = ast.literal_eval(outcome["DATABASES"])
        return {**found, "for reports": ast.literal_eval(outcome["REPORTS_DATABASE"])}

    def test_a_statement_and_a_lock_are_given_up_in_time(self) -> None:
        default = self.databases(DB_STATEMENT_TIMEOUT_MS="7000", DB_LOCK_TIMEOUT_MS="900")[
            "default"
        ]

        assert default["OPTIONS"]["options"] == "-c statement_timeout=7000 -c lock_timeout=900"
        assert (default["CONN_MAX_AGE"], default["CONN_HEALTH_CHECKS"]) == (600, True)

    def test_a_pool_keeps_the_connections_itself(self) -> None:
        default = self.databases(DB_POOL_SIZE="12")["default"]

        assert default["OPTIONS"]["pool"] == {
            "min_size": 2,
            "max_size": 12,
            "timeout": 2,
            "reconnect_timeout": 5,
        }
        assert default["CONN_MAX_AGE"] == 0

    def test_a_server_that_went_without_a_word_is_noticed(self) -> None:
        options = self.databases()["default"]["OPTIONS"]

        assert (options["connect_timeout"], options["tcp_user_timeout"]) == (3, 10_000)
        assert (
            options["keepalives_idle"]
            + options["keepalives_interval"] * options["keepalives_count"]
            < 20
        )

    def test_behind_pgbouncer_nothing_lasts_longer_than_a_transaction(self) -> None:
        default = self.databases(PGBOUNCER="True")["default"]

        assert default["OPTIONS"]["prepare_threshold"] is None
        assert "options" not in default["OPTIONS"]
        assert default["DISABLE_SERVER_SIDE_CURSORS"] is True

    def test_reports_read_from_the_replica_where_there_is_one(self) -> None:
        with_one = self.databases(
            DATABASE_REPLICA_URL="postgres://ruth:moab@replica.internal:5432/vgf"
        )

        assert self.databases()["for reports"] == "default"
        assert with_one["for reports"] == "reports"
        assert (with_one["reports"]["HOST"], with_one["default"]["HOST"]) == (
            "replica.internal",
            "db.internal",
        )
        assert with_one["reports"]["ENGINE"] == with_one["default"]["ENGINE"]

    def test_the_replica_is_never_written(self) -> None:
        at = "postgres://ruth:moab@replica.internal:5432/vgf?sslmode=require"

        options = self.databases(DATABASE_REPLICA_URL=at)["reports"]["OPTIONS"]

        assert "-c default_transaction_read_only=on" in options["options"]
        assert options["sslmode"] == "require"
