"""A made-up community of any size with two years of history (PostgreSQL)."""

import datetime as dt
import random
import secrets
import string
import uuid
from collections.abc import Callable, Iterator

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from authentication.models import (
    AuditLog,
    Consent,
    OutgoingEmail,
    PasswordHistory,
    TokenBlacklist,
    User,
    UserProfile,
    UserSession,
)
from authentication.services.operations import statements_within

from . import demo_rows
from .demo_names import FIRST, LAST
from .generated_rows import copy_rows, options_of, without_indexes

MODELS = (
    User,
    UserProfile,
    Consent,
    PasswordHistory,
    UserSession,
    AuditLog,
    TokenBlacklist,
    OutgoingEmail,
)
_PEOPLE = "demo_people"


def seed_demo_world(
    people: int, *, password: str, on_table: Callable[[], None] = lambda: None
) -> None:
    """Create people with all that years of use leave: all of it or, after a failure, nothing.

    Each person has three sessions, five events, five revoked tokens and a mail.
    """
    with statements_within(0):
        _fill(people, password, on_table)
        # Without statistics the first searches would read whole tables.
        if not connection.in_atomic_block:
            _vacuum()


def _fill(people: int, password: str, on_table: Callable[[], None]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        table = options_of(User).db_table
        cursor.execute(f'CREATE TEMPORARY TABLE {_PEOPLE} (LIKE "{table}" INCLUDING DEFAULTS)')
        copy_rows(_PEOPLE, _people(people, make_password(password)))
        cursor.execute(f"ALTER TABLE {_PEOPLE} ADD COLUMN n integer GENERATED ALWAYS AS IDENTITY")
        cursor.execute(f"ANALYZE {_PEOPLE}")
        with without_indexes(*MODELS):
            for fill in demo_rows.TABLES:
                fill(_PEOPLE, people)
                on_table()
        cursor.execute(f"DROP TABLE {_PEOPLE}")


def _vacuum() -> None:
    tables = ", ".join(f'"{options_of(model).db_table}"' for model in MODELS)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"VACUUM (ANALYZE) {tables}")
        cursor.execute("RESET statement_timeout")


def _people(count: int, hashed: str) -> Iterator[User]:
    chance, now = random.Random(7), timezone.now()  # noqa: S311 -- no secret depends on it
    # Two runs share no name.
    run = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    for number in range(1, count + 1):
        yield _person(f"{run}{number}", hashed, chance, now)


def _person(mark: str, hashed: str, chance: random.Random, now: dt.datetime) -> User:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    username = f"{first}.{last}.{mark}".lower()
    age = dt.timedelta(days=730) * chance.random()
    joined = now - age
    # Accounts that are not verified within a month are deleted.
    is_new = age < dt.timedelta(days=30)
    is_verified = chance.random() > (0.5 if is_new else 0)
    return User(
        id=uuid.UUID(int=chance.getrandbits(128) ^ secrets.randbits(128), version=4),
        email=f"{username}@example.org",
        username=username,
        password=hashed,
        first_name=first,
        last_name=last,
        email_verified=is_verified,
        email_verified_at=joined if is_verified else None,
        is_active=chance.random() > 0.01,  # noqa: PLR2004 -- one in a hundred is disabled
        password_changed_at=joined,
        created_at=joined,
        last_login=now - age * chance.random() if is_verified else None,
    )
