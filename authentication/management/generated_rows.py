"""Millions of rows, made in the database (PostgreSQL)."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection
from django.db.models import Model

_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
_FOREIGN_KEYS = """
    SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype = 'f'
"""


def options_of(model: Any) -> Any:
    """Return Django's description of a model."""
    return model._meta  # noqa: SLF001 -- Django's name


def insert_rows(template: Model, source: str, **changed: str) -> None:
    """Insert a copy of `template`, which need not be stored, for each row of a FROM clause.

    `changed` are the columns that differ, as SQL of the source; "" leaves one to the database.
    """
    fields = [
        field
        for field in options_of(template).local_concrete_fields
        if changed.get(field.column) != ""
    ]
    constants = [
        field.get_db_prep_save(getattr(template, field.attname), connection)
        for field in fields
        if field.column not in changed
    ]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(changed.get(field.column, "%s") for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{options_of(template).db_table}" ({columns})'  # noqa: S608 -- our own names
            f" SELECT {values} FROM {source}",
            constants,
        )


def copy_rows(table: str, rows: Iterable[Model]) -> None:
    """Write unsaved rows of one model to a table with its columns, by COPY."""
    with connection.cursor() as cursor:
        copy, fields = None, []
        with contextlib.ExitStack() as stack:
            for row in rows:
                if copy is None:
                    fields = options_of(row).local_concrete_fields
                    columns = ", ".join(f'"{field.column}"' for field in fields)
                    copy = stack.enter_context(
                        cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN')
                    )
                copy.write_row([field.pre_save(row, add=True) for field in fields])


@contextlib.contextmanager
def without_indexes(*models: type[Model]) -> Iterator[None]:
    """Drop the indexes and foreign keys of tables, and build them at the end, which is faster.

    In a transaction a failure leaves them as they were. Keys and unique constraints stay.
    """
    tables = [f'"{options_of(model).db_table}"' for model in models]
    with connection.cursor() as cursor:
        # A table with checks that are due at the end of the transaction cannot be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        rebuild = [statement for table in tables for statement in _drop(cursor, table)]
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in rebuild:
            cursor.execute(statement)
        cursor.execute("RESET maintenance_work_mem")


def _drop(cursor: Any, table: str) -> list[str]:
    """Drop the indexes and foreign keys of a table; return the statements that build them."""
    rebuild = []
    cursor.execute(_FOREIGN_KEYS, [table])
    for name, definition in cursor.fetchall():
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        rebuild.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    cursor.execute(_INDEXES, [table])
    for name, definition in cursor.fetchall():
        cursor.execute(f"DROP INDEX {name}")
        rebuild.append(definition)
    return rebuild
