"""The shape of the code, and every door into it: what docs/architecture.md promises."""

import ast
import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    DeleteModel,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from authentication.api.bearer import BearerAuthentication

ROOT = Path(settings.BASE_DIR)
CODE = [
    path
    for package in ("authentication", "vineyard_group_fellowship")
    for path in sorted((ROOT / package).rglob("*.py"))
    if not {"tests", "migrations"} & set(path.relative_to(ROOT).parts)
]
# Migrations up to this one were written before anybody could have deployed the service.
_BEFORE_ANY_RELEASE = "0012_session_live"
_TAKING = (RemoveField, RenameField, RenameModel, DeleteModel)
LONGEST_FILE, LONGEST_FUNCTION = 300, 50


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def in_area(*areas: str) -> list[Path]:
    return [path for path in CODE if name_of(path).startswith(areas)]


def imports_of(path: Path) -> set[str]:
    """Return what a module imports when it runs, by its full names."""
    found = set()
    package = path.parent.relative_to(ROOT).parts
    for node in _running(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test).endswith(
            "TYPE_CHECKING"
        )
        if not is_for_types:
            yield child
            yield from _running(child)


def found_in(imports: set[str], *forbidden: str) -> set[str]:
    return {
        name for name in imports if any(name == it or name.startswith(f"{it}.") for it in forbidden)
    }


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_a_file_fits_in_the_head() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_a_function_fits_on_a_screen() -> None:
    lengths = {
        f"{name_of(path)}::{it.name}": (it.end_lineno or it.lineno) - it.lineno + 1
        for path in CODE
        for it in functions_of(path)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_a_module_says_what_it_is() -> None:
    silent = [path for path in CODE if path.stat().st_size and not ast.get_docstring(parsed(path))]

    assert [name_of(path) for path in silent] == []


@pytest.mark.parametrize(
    ("areas", "forbidden"),
    [
        (
            ("services/", "models/"),
            ("rest_framework", "django.http", "django.views", "django.shortcuts"),
        ),
        (("view_modules/", "views"), ("authentication.models", "django.db")),
        (("serializers/",), ("authentication.models", "authentication.services", "django.db")),
        (("utils/",), ("authentication.models", "authentication.services", "django.db")),
    ],
    ids=[
        "services know no requests",
        "views know no tables",
        "serializers do not act",
        "utilities have no database",
    ],
)
def test_calls_go_downward(areas: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    paths = in_area(*(f"authentication/{area}" for area in areas))
    upward = {name_of(path): found_in(imports_of(path), *forbidden) for path in paths}

    assert paths
    assert {name: found for name, found in upward.items() if found} == {}


# One door: whoever compares a password counts, locks and audits. The model and the policy compare
# it for that door.
MAY_COMPARE_PASSWORDS = {
    "authentication/models/user.py",
    "authentication/services/sign_in/credentials.py",
    "authentication/services/passwords/validators.py",
}


_SHARED_SERVICES = {"EmailService", "TokenService"}


def test_areas_of_services_are_entered_by_their_exports() -> None:
    areas = {path.name for path in (ROOT / "authentication/services").iterdir() if path.is_dir()}
    trespasses = {
        (name_of(path), name)
        for path in CODE
        for name in imports_of(path)
        if len(parts := name.removeprefix("authentication.services.").split(".")) > 1
        and name.startswith("authentication.services.")
        and parts[0] in areas
        and path.parent.name != parts[0]
        and (ROOT / "authentication/services" / parts[0] / f"{parts[1]}.py").exists()
    }

    assert trespasses == set()


def test_use_cases_do_not_call_use_cases() -> None:
    paths = in_area("authentication/services/")
    defined = {path: services_in(path) for path in paths}
    services = set().union(*defined.values()) - _SHARED_SERVICES
    calls = {
        (name_of(path), used)
        for path, own in defined.items()
        if own and path.name != "__init__.py"
        for used in {name.rpartition(".")[2] for name in imports_of(path)} & services - own
    }

    assert services
    assert calls == set()


def services_in(path: Path) -> set[str]:
    classes = {it.name for it in ast.walk(parsed(path)) if isinstance(it, ast.ClassDef)}
    return {name for name in classes if name.endswith("Service")}


def test_one_module_decides_whether_a_password_is_right() -> None:
    deciding = {name_of(path) for path in CODE if _compares_passwords(path)}

    assert deciding == MAY_COMPARE_PASSWORDS


def _compares_passwords(path: Path) -> bool:
    calls = {
        ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)
    }
    names = {call.rpartition(".")[2] for call in calls}
    signs_in = found_in(
        imports_of(path), "django.contrib.auth.authenticate", "django.contrib.auth.login"
    )
    return bool(signs_in or names & {"check_password", "verify_password"})


@dataclasses.dataclass(frozen=True)
class Door:
    """Who may come through an address, and for each of its methods the limit that counts there."""

    who: str
    limits: dict[str, str | None]


def public(**limits: str | None) -> Door:
    return Door("public", limits)


def bearer(**limits: str | None) -> Door:
    return Door("bearer", limits)


DOORS = {
    "api/v1/auth/register/": public(POST="register"),
    "api/v1/auth/login/": public(POST="login"),
    # Who has no session gets no further than a signature; who has one ends it.
    "api/v1/auth/logout/": public(POST=None),
    "api/v1/auth/reauthenticate/": bearer(POST="reauthenticate"),
    "api/v1/auth/2fa/": bearer(GET="second_factor"),
    "api/v1/auth/2fa/totp/setup/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/totp/confirm/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/disable/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/recovery-codes/": bearer(POST="second_factor"),
    "api/v1/auth/2fa/verify/": public(POST="second_factor_verify"),
    "api/v1/auth/token/refresh/": public(POST="token_refresh"),
    "api/v1/auth/token/verify/": public(POST="token_verify"),
    "api/v1/auth/exchange-token/": public(POST="exchange_token"),
    "api/v1/auth/password/change/": bearer(POST="password_change"),
    "api/v1/auth/password/reset/": public(POST="password_reset"),
    "api/v1/auth/password/reset/confirm/": public(POST="password_reset_confirm"),
    "api/v1/auth/email/verify/": public(POST="email_verify"),
    "api/v1/auth/email/resend/": public(POST="email_resend"),
    "api/v1/auth/csrf/": public(GET="csrf"),
    "api/v1/auth/sessions/": bearer(GET="sessions"),
    "api/v1/auth/sessions/terminate-all/": bearer(POST="sessions_terminate_all"),
    "api/v1/auth/sessions/<uuid:session_id>/": bearer(GET="sessions", DELETE="sessions"),
    # Operations ask as often as they like.
    "api/v1/auth/health/": public(GET=None),
    "api/v1/auth/health/live/": public(GET=None),
    "api/v1/auth/account/activity/": bearer(GET="activity"),
    "api/v1/auth/account/activity/<uuid:event_id>/disown/": bearer(POST="activity"),
    "api/v1/auth/account/consents/": bearer(GET="consents", POST="consents"),
    "api/v1/auth/account/email/": bearer(GET=None, POST="email_change", DELETE=None),
    "api/v1/auth/account/email/confirm/": public(POST="email_verify"),
    "api/v1/auth/account/email/undo/": public(POST="email_verify"),
    "api/v1/auth/account/delete/": bearer(POST="account_data"),
    "api/v1/auth/account/export/": bearer(GET=None, POST="account_data"),
    "api/v1/auth/account/export/download/": bearer(POST="account_data"),
    "api/v1/auth/account/notices/": bearer(GET=None, PUT="notices"),
    # Signed by the provider, which sends as often as mails come back.
    "api/v1/auth/mail-events/sendgrid/": public(POST=None),
    "api/v1/auth/account/disown-session/": public(POST="session_disown"),
    "api/v1/profiles/me/": bearer(GET=None, PATCH=None),
    "api/schema/": public(GET=None),
    "api/docs/": public(GET=None),
    "api/redoc/": public(GET=None),
    "api/problems/<slug:code>/": public(GET=None),
    "^api(/|$)": public(),
    "metrics": public(GET=None),
    "account/verify-email/": public(GET=None, POST="email_verify"),
    "account/resend-verification/": public(GET=None, POST="email_resend"),
    "account/forgot-password/": public(GET=None, POST="password_reset"),
    "account/reset-password/": public(GET=None, POST="password_reset_confirm"),
    "account/confirm-email/": public(GET=None, POST="email_verify"),
    "account/undo-email/": public(GET=None, POST="email_verify"),
    "account/download-export/": public(GET=None, POST="account_data"),
    "account/unsubscribe/": public(GET=None, POST="notices"),
    "account/not-me/": public(GET=None, POST="session_disown"),
    "": public(GET=None),
}

ADMIN = {
    "admin/": "admin session",
    "admin/login/": "public",
    "admin/logout/": "admin session",
    "admin/password_change/": "admin session",
    "admin/password_change/done/": "admin session",
    "admin/autocomplete/": "admin session",
    "admin/jsi18n/": "admin session",
    "admin/r/<path:content_type_id>/<path:object_id>/": "admin session",
    "admin/^(?P<app_label>authentication|auth)/$": "admin session",
    "admin/(?P<url>.*)$": "admin session",
}
ADMIN_TABLES = {
    "authentication/accountexport",
    "authentication/actiontoken",
    "authentication/auditlog",
    "authentication/outgoingemail",
    "authentication/usersession",
    "authentication/tokenblacklist",
    "authentication/consent",
    "authentication/emailchange",
    "authentication/failedtask",
    "authentication/emailverificationtoken",
    "authentication/passwordresettoken",
    "authentication/passwordhistory",
    "authentication/user",
    "authentication/userprofile",
    "auth/group",
}
TABLE_PAGES = (
    "",
    "add/",
    "<path:object_id>/",
    *(f"<path:object_id>/{it}/" for it in ("history", "delete", "change")),
)
ADMIN_DOORS = {
    **ADMIN,
    **{f"admin/{table}/{page}": "admin session" for table in ADMIN_TABLES for page in TABLE_PAGES},
}


def routes() -> dict[str, URLPattern]:
    """Return every address of the service with what answers there."""
    return dict(_below(get_resolver().url_patterns, ""))


def _below(patterns: list[Any], prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, route)
        else:
            yield route, pattern


def test_no_address_is_missing_here_and_none_is_made_up() -> None:
    assert routes().keys() == DOORS.keys() | ADMIN_DOORS.keys()


@pytest.mark.parametrize("route", [route for route in DOORS if route.startswith(("api/", "^api/"))])
def test_whoever_needs_to_be_signed_in_is_asked_for_it_by_the_view(route: str) -> None:
    view = view_at(route)
    assert issubclass(view, APIView)
    guards = {"public": ([], [AllowAny]), "bearer": ([BearerAuthentication], [IsAuthenticated])}

    assert (list(view.authentication_classes), list(view.permission_classes)) == guards[
        DOORS[route].who
    ]


@pytest.mark.parametrize("route", DOORS)
def test_an_address_takes_the_methods_listed(route: str) -> None:
    view = view_at(route)
    taken = {it.upper() for it in view.http_method_names if hasattr(view, it)} - {"HEAD", "OPTIONS"}

    assert taken == DOORS[route].limits.keys()


@pytest.mark.parametrize("route", DOORS)
def test_each_method_is_counted_under_the_limit_listed(route: str) -> None:
    view = view_at(route)

    assert {it: limit_of(view, it) for it in DOORS[route].limits} == DOORS[route].limits


def view_at(route: str) -> Any:
    answers: Any = routes()[route].callback
    return getattr(answers, "view_class", None) or answers.cls


def limit_of(view: Any, method: str) -> str | None:
    """Return the name in the `@limited` of a view's method; a page counts its POST under its own `limit`."""
    limit = getattr(getattr(view, method.lower()), "limit", None)
    if limit is not None:
        return str(limit)
    return getattr(view, "limit", None) if method == "POST" else None


def test_every_limit_of_the_settings_is_used_and_every_one_used_is_set() -> None:
    used = {limit for door in DOORS.values() for limit in door.limits.values() if limit}

    assert used == settings.RATE_LIMITS.keys()


@pytest.mark.parametrize(("route", "who"), ADMIN_DOORS.items(), ids=ADMIN_DOORS.keys())
def test_the_admin_opens_to_its_own_session_alone(route: str, who: str) -> None:
    path = f"/{route}"
    for mark, value in {
        "<path:content_type_id>": "1",
        "<path:object_id>": "1",
        "^(?P<app_label>authentication|auth)/$": "auth/",
        "(?P<url>.*)$": "nothing/",
    }.items():
        path = path.replace(mark, value)

    answer: Any = Client().post(path) if path == "/admin/logout/" else Client().get(path)

    assert answer.status_code == {"admin session": 302, "public": 200}[who]
    assert answer.get("Location", "/admin/").startswith("/admin/")


def test_the_settings_alone_read_the_environment() -> None:
    readers = [name_of(path) for path in CODE if _reads_environment(path)]

    assert [name for name in readers if "/settings/" not in name] == []


def _reads_environment(path: Path) -> bool:
    # Django's own way to name the settings module sets a default and reads nothing.
    text = path.read_text(encoding="utf-8").replace("os.environ.setdefault(", "")
    return "os.environ" in text or "os.getenv" in text


def test_every_variable_the_settings_read_is_in_the_example_and_no_other() -> None:
    example = ROOT / ".env.example"
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


@functools.cache
def read_by_settings() -> set[str]:
    """Return the names that the settings of any environment read, in a process that has no other settings."""
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
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ran.stdout))


def test_a_migration_leaves_the_version_before_working() -> None:
    # It serves on while the new one migrates: what it does not know it cannot write.
    loaded = MigrationLoader(None).disk_migrations
    later = [
        it
        for (app, name), it in loaded.items()
        if app == "authentication" and name > _BEFORE_ANY_RELEASE
    ]
    operations = [(it.name, operation) for it in later for operation in it.operations]

    taken_away = [name for name, it in operations if isinstance(it, _TAKING)]
    asked_for = [
        name
        for name, it in operations
        if isinstance(it, AddField)
        and not (it.field.null or it.field.many_to_many or it.field.has_db_default())
    ]

    assert (taken_away, asked_for) == ([], [])
