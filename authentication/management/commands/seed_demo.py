"""Fills a database with people who do not exist."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.demo_data import DemoService
from authentication.management.progress import Progress

PASSWORD = "Demonstration-7"  # noqa: S105 -- of people who do not exist, and never in production


class Command(BaseCommand):
    """Makes people with sessions and a past; not in production."""

    help = "Make people who do not exist, with sessions and a past, to try the service with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("people", type=int, nargs="?", default=50)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("Not in production: everybody knows the password of these people.")
        if options["people"] < 1:
            raise CommandError("At least one person.")
        with Progress("people", options["people"], self.stderr) as progress:
            made = DemoService.seed(options["people"], password=PASSWORD, on_batch=progress.advance)
        self.stdout.write(f"{made} people made; each has the password {PASSWORD}")
