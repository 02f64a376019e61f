"""Temporary databases for a run, deleted when it ends."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

_POSTGRESQL = {"postgres", "postgresql", "psql", "pgsql", "postgis"}


def postgresql_url() -> str:
    """Return DATABASE_URL if it names a PostgreSQL server, else an empty string."""
    url = os.environ.get("DATABASE_URL", "")
    return url if urlsplit(url).scheme in _POSTGRESQL else ""


@contextlib.contextmanager
def database(name: str, directory: Path) -> Iterator[str]:
    """Create a temporary database and yield its URL.

    It is on the server of DATABASE_URL, else an SQLite file in `directory`.
    """
    server = postgresql_url()
    if not server:
        yield f"sqlite:///{directory / name}.sqlite3"
        return
    _command(server, "CREATE DATABASE {}", name)
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        _command(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def database_version() -> str:
    """Return the name and the version of the database in use."""
    server = postgresql_url()
    if not server:
        return f"SQLite {sqlite3.sqlite_version}"
    with _connect(server) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}"


def _command(server: str, statement: LiteralString, name: str) -> None:
    with _connect(server) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _connect(server: str) -> psycopg.Connection:
    # libpq accepts only the scheme "postgresql".
    return psycopg.connect(urlsplit(server)._replace(scheme="postgresql").geturl(), autocommit=True)
