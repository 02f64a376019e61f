"""Exports the audit log to a file."""

import contextlib
import csv
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.private_file import private_file
from authentication.management.progress import Progress
from authentication.management.user_argument import find_user
from authentication.services.audit import EVENT_FIELDS, AuditExportService, AuditFilter

Row = dict[str, Any]
# A spreadsheet runs a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Command(BaseCommand):
    """Writes events as CSV or JSON Lines, the oldest first, as a stream."""

    help = "Write the audit log as CSV or JSON Lines, to a file or to standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "output",
            nargs="?",
            default="-",
            help="a file that does not exist yet; - is standard output",
        )
        parser.add_argument("--format", choices=("csv", "jsonl"), default="csv")
        parser.add_argument("--person", help="an email address or a username")
        parser.add_argument(
            "--event", action="append", default=[], help="an event's name; may be repeated"
        )
        parser.add_argument("--risk", choices=("low", "medium", "high", "critical"))
        parser.add_argument(
            "--since", help="a date or a time, such as 2026-11-22 or 2026-11-22T15:30Z"
        )
        parser.add_argument("--until", help="as --since; not included")
        add_operator_argument(parser)
        parser.epilog = f"Events: {', '.join(AuditExportService.event_types())}."

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = AuditFilter(
            user_id=None if options["person"] is None else find_user(options).pk,
            events=tuple(options["event"]),
            risk=options["risk"],
            since=_parse_time("--since", options["since"]),
            until=_parse_time("--until", options["until"]),
        )
        try:
            rows = AuditExportService.events(wanted, operator=operator_of(options))
        except ValueError as error:
            raise CommandError(str(error)) from None
        write = _as_csv if options["format"] == "csv" else _as_lines
        # Counting may take longer than the export of its first events.
        total = AuditExportService.count(wanted) if self.stderr.isatty() else 0
        with (
            Progress("events", total, self.stderr) as progress,
            _open(options["output"]) as file,
        ):
            write(file, rows, progress.advance)


def _parse_time(name: str, text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        if moment := parse_datetime(text):
            return moment if timezone.is_aware(moment) else moment.replace(tzinfo=dt.UTC)
        if day := parse_date(text):
            return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
    raise CommandError(
        f"{name}: {text!r} is not a date or a time such as 2026-11-22 or 2026-11-22T15:30Z."
    )


def _open(output: str) -> AbstractContextManager[IO[str]]:
    return contextlib.nullcontext(sys.stdout) if output == "-" else private_file(output)


def _as_csv(file: IO[str], rows: Iterator[Row], advance: Callable[[], None]) -> None:
    writer = csv.writer(file)
    writer.writerow(EVENT_FIELDS)
    for row in rows:
        writer.writerow([_without_formula(row[name]) for name in EVENT_FIELDS])
        advance()


def _as_lines(file: IO[str], rows: Iterator[Row], advance: Callable[[], None]) -> None:
    for row in rows:
        file.write(json.dumps(row, default=_text) + "\n")
        advance()


def _without_formula(value: Any) -> str:
    text = json.dumps(value, default=_text) if isinstance(value, dict) else _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return "" if value is None else str(value)
