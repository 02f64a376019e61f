"""New rows of several tables, in one statement on PostgreSQL."""

import functools
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import AutoField, Field, Model

from .compiled import CompiledUpdate, Value


def insert_together(*rows: Model) -> None:
    """Insert new rows in the current transaction, in one round trip on PostgreSQL.

    Keys that the database makes are not read back.
    """
    if connection.vendor != "postgresql":
        _insert_each(rows)
        return
    with connection.cursor() as cursor:
        cursor.execute(_statement(tuple(map(type, rows))), _values(rows))
    _mark_stored(rows)


def insert_if_updated(rows: Sequence[Model], update: CompiledUpdate, **values: Value) -> bool:
    """Run an UPDATE and, if it finds a row, insert new rows; return whether it did.

    Both happen or none. On PostgreSQL it is one statement: a transaction and a round trip.
    """
    if connection.vendor != "postgresql":
        with transaction.atomic():
            if not update.execute(**values):
                return False
            _insert_each(rows)
        return True
    sql, parameters = update.sql(**values)
    with connection.cursor() as cursor:
        statement = _statement(tuple(map(type, rows)), sql)
        cursor.execute(statement, [*parameters, *_values(rows)])
        if not cursor.rowcount:
            return False
    _mark_stored(rows)
    return True


def _insert_each(rows: Sequence[Model]) -> None:
    for row in rows:
        row.save(force_insert=True)


def _values(rows: Sequence[Model]) -> list[Any]:
    return [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row in rows
        for field in _fields(type(row))
    ]


def _mark_stored(rows: Sequence[Model]) -> None:
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 -- Django's name


@functools.cache
def _statement(models: tuple[type[Model], ...], update: str = "") -> str:
    *others, last = [_insert(model, " FROM updated" if update else "") for model in models]
    parts = [f"updated AS ({update} RETURNING 1)"] if update else []
    parts += [f"part_{number} AS ({insert})" for number, insert in enumerate(others)]
    return f"WITH {', '.join(parts)} {last}" if parts else last


def _insert(model: type[Model], source: str) -> str:
    quote, fields = connection.ops.quote_name, _fields(model)
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    # Django's name for the description of a model.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) SELECT {marks}{source}"  # noqa: SLF001


@functools.cache
def _fields(model: type[Model]) -> "tuple[Field[Any, Any], ...]":
    fields = model._meta.concrete_fields  # noqa: SLF001 -- as above
    return tuple(field for field in fields if not isinstance(field, AutoField))
