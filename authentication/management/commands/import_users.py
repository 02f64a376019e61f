"""Imports the accounts of an earlier installation, with their password hashes."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.services.user_imports import COLUMNS, REQUIRED, UserImportService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Reads a CSV file row by row; what is wrong with a row goes to standard error."""

    help = (
        "Import accounts from a CSV file with the columns email, password_hash, username,"
        " first_name, last_name and verified. It can be run again: accounts that exist are left"
        " alone. Hashes are replaced at the first sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="a CSV file in UTF-8")
        parser.add_argument("--dry-run", action="store_true", help="check the rows, store nothing")
        parser.add_argument(
            "--remaining",
            action="store_true",
            help="only say how many accounts still have an imported hash",
        )
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["remaining"]:
            for algorithm, number in UserImportService.remaining().items():
                self.stdout.write(f"{algorithm}: {number}")
            return
        if not options["file"]:
            raise CommandError("Name a file, or use --remaining.")
        try:
            with Path(options["file"]).open(encoding="utf-8-sig", newline="") as file:
                taken, refused = self._import(csv.DictReader(file, strict=True), options)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except (csv.Error, UnicodeDecodeError):
            raise CommandError(f"{options['file']} is no CSV file in UTF-8.") from None
        would = "would be imported" if options["dry_run"] else "imported"
        self.stdout.write(f"{taken} account(s) {would}, {refused} row(s) refused.")
        if refused:
            raise CommandError("Some rows were refused.")

    def _import(self, rows: "csv.DictReader[str]", options: dict[str, Any]) -> tuple[int, int]:
        operator, names = operator_of(options), rows.fieldnames or ()
        if missing := [it for it in REQUIRED if it not in names]:
            raise CommandError(f"The first line must name the columns: {', '.join(missing)}.")
        if unknown := [it for it in names if it not in COLUMNS]:
            raise CommandError(f"These columns are not known: {', '.join(unknown)}.")
        taken = refused = 0
        for row in rows:
            try:
                if None in row:
                    raise ValueError("The row has more cells than the first line.")
                UserImportService.take(
                    row, operator=operator, client=ClientInfo(), is_dry=options["dry_run"]
                )
                taken += 1
            except ValueError as error:
                # The line only: standard error may be kept in a log, and addresses must not.
                self.stderr.write(f"Line {rows.line_num}: {error}")
                refused += 1
        return taken, refused
