"""Runs the retention rules by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.progress import Progress
from authentication.services.operations import RetentionService


class Command(BaseCommand):
    """Carries out some or all retention rules."""

    help = "Delete what has expired, by every rule or by those named."

    def add_arguments(self, parser: CommandParser) -> None:
        names = RetentionService.names()
        parser.add_argument(
            "rules", nargs="*", metavar="RULE", help=f"one or more of: {', '.join(names)}"
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, **options: Any) -> None:
        names = RetentionService.names()
        if unknown := set(options["rules"]) - set(names):
            raise CommandError(
                f"No such rule: {', '.join(sorted(unknown))}. There are: {', '.join(names)}."
            )
        for name in options["rules"] or names:
            total = RetentionService.count(name)
            if options["dry_run"]:
                self.stdout.write(f"{name}: {total} rows would be handled")
                continue
            with Progress(name, total, self.stderr) as progress:
                done = RetentionService.clean(name, on_batch=progress.advance)
            self.stdout.write(f"{name}: {done.count} rows handled")
