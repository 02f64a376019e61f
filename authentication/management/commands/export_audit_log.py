"""Exports the audit log to a file."""

import contextlib
import datetime as dt
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.private_file import private_file
from authentication.management.progress import Progress
from authentication.management.user_argument import find_user
from authentication.services import RepeatedErasureService
from authentication.services.audit import (
    AuditExportService,
    AuditFilter,
    csv_lines,
    json_lines,
)
from authentication.utils.client import ClientInfo

_ERASURES = RepeatedErasureService.EVENTS


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
        parser.add_argument(
            "--erasures",
            action="store_true",
            help="the events that repeat_erasures needs after a restore",
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
            events=(*options["event"], *_ERASURES) if options["erasures"] else (*options["event"],),
            risk=options["risk"],
            since=_parse_time("--since", options["since"]),
            until=_parse_time("--until", options["until"]),
        )
        try:
            rows = AuditExportService.events(
                wanted, facts=operator_of(options).facts(), client=ClientInfo()
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        as_lines = csv_lines if options["format"] == "csv" else json_lines
        # Counting may take longer than the export of its first events.
        total = AuditExportService.count(wanted) if self.stderr.isatty() else 0
        with (
            Progress("events", total, self.stderr) as progress,
            _open(options["output"]) as file,
        ):
            for line in as_lines(_counted(rows, progress)):
                file.write(line)


def _counted(rows: Iterator[dict[str, Any]], progress: Progress) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield row
        progress.advance()


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
