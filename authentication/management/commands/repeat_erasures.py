"""Repeats erasures after an older backup was restored."""

import csv
import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import (
    add_operator_argument,
    add_reason_argument,
    operator_of,
)
from authentication.services import RepeatedErasureService
from authentication.services.accounts import ExportedEvent
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Reads a file of `export_audit_log --erasures`, and makes the database catch up with it."""

    help = (
        "After a restore: erase again what was erased after the backup, and request or cancel"
        " deletions again. It can be run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a file that export_audit_log --erasures wrote")
        add_reason_argument(parser)
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        operator = operator_of(options)
        try:
            with Path(options["file"]).open(encoding="utf-8", newline="") as file:
                events = list(_read(file))
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise CommandError(
                f"{options['file']} was not written by export_audit_log. Nothing is changed."
            ) from None
        done = RepeatedErasureService.repeat(events, operator=operator, client=ClientInfo())
        self.stdout.write(
            f"{done.erased} account(s) erased again, {done.requested} deletion(s) requested again,"
            f" {done.cancelled} cancelled again, {done.proofs} proof(s) stored again."
        )
        if done.erased < done.found:
            raise CommandError(
                f"{done.found - done.erased} account(s) could not be erased. They are closed. Run"
                " this again in an hour, or see the failed tasks in the admin."
            )


def _read(file: IO[str]) -> Iterator[ExportedEvent]:
    is_csv = file.read(1) != "{"
    file.seek(0)
    for row in _rows_of_csv(file) if is_csv else map(json.loads, file):
        yield ExportedEvent(
            at=dt.datetime.fromisoformat(row["timestamp"]),
            kind=row["event_type"],
            user_id=uuid.UUID(row["user_id"]) if row["user_id"] else None,
            metadata=dict(row["metadata"]),
        )


def _rows_of_csv(file: IO[str]) -> Iterator[dict[str, Any]]:
    rows = csv.DictReader(file)
    if "metadata" not in (rows.fieldnames or ()):
        raise ValueError
    for row in rows:
        yield {**row, "metadata": json.loads(row["metadata"])}
