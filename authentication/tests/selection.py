"""Which tests make services-test repeats, and the order of a run."""

import functools
from collections.abc import Iterable
from pathlib import Path, PurePath

import pytest

TESTS = Path(__file__).parent

ON_ANY_DATABASE = (
    # No database and no cache at all.
    "utils/*.py",
    "published/*.py",
    "settings/*.py",
    "server/*.py",
    "services/mail/test_*_templates.py",
    "services/passwords/test_validators.py",
    "test_architecture*.py",
    "test_deployment_files.py",
    "test_migrations.py",
    "test_routes.py",
    "test_selection.py",
    # The form of requests and answers: headers, pages, error documents.
    "api/test_correlation.py",
    "api/test_cross_origin.py",
    "api/test_csrf.py",
    "api/test_headers.py",
    "api/test_openapi*.py",
    "api/test_origin_proof*.py",
    "api/test_problems_faults.py",
    "api/test_problems_media_types.py",
    "api/test_*_page*.py",
    # Which passwords the policy refuses.
    "api/test_password_change_new_password.py",
    "api/test_password_reset_confirm_passwords.py",
    "api/test_register_passwords.py",
    # What processes write to logs and to Sentry.
    "flows/test_console_log.py",
    "flows/test_log_*.py",
    "flows/test_sentry*.py",
)
"""The files that `make services-test` does not repeat on PostgreSQL and Redis.

A file belongs here if no statement of it can behave differently there. Everything else is repeated.
Malformed values are: PostgreSQL refuses null characters and large integers that SQLite stores.
"""

ONLY_ON_SERVERS = ("races/test_*.py", "faults/test_*.py", "fuzz/test_openapi_fuzz.py")
"""The files in which every test needs PostgreSQL and Redis: without them they are not imported."""

IN_A_BROWSER = ("browser/test_*.py",)
"""The files that drive a browser: only `make browser-test` collects them."""

WITH_NODE = ("browser/test_spa*.py", "published/test_live*.py")
"""The files that need the clients built by Node: only `make clients-test` collects them."""

ALONE = ("flows/test_timing*.py",)
"""The files, besides those that say so themselves, that measure time."""

LONGEST = ("fuzz/*.py", "admin/test_table_lookups.py", "api/test_limit_devices.py")
"""The files with tests of many seconds: started last, one of them would run alone at the end."""

LAST = ("flows/test_sentry*.py",)
"""The files that start Sentry, which from then on wraps each middleware, signal and query."""


@functools.cache
def is_in(path: PurePath, patterns: tuple[str, ...]) -> bool:
    """Return whether one of the patterns names a test's file."""
    return path.is_relative_to(TESTS) and any(
        path.relative_to(TESTS).match(pattern) for pattern in patterns
    )


def mark(items: Iterable[pytest.Item]) -> None:
    """Put the marks `any_database` and `alone` on the tests of the files above."""
    for item in items:
        if is_in(item.path, ON_ANY_DATABASE):
            item.add_marker("any_database")
        if is_in(item.path, ALONE):
            item.add_marker("alone")


def position(item: pytest.Item) -> int:
    """Return the key that the tests of a run are sorted by."""
    return int(is_in(item.path, LAST)) - int(is_in(item.path, LONGEST))


def unused() -> list[str]:
    """Return the patterns that name no file."""
    patterns = (*ON_ANY_DATABASE, *ONLY_ON_SERVERS, *IN_A_BROWSER, *ALONE, *LONGEST, *LAST)
    return [pattern for pattern in patterns if not any(TESTS.glob(pattern))]
