"""Fills a database with made-up users."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.demo_data import seed_demo_users
from authentication.management.progress import Progress

PASSWORD = "Demonstration-7"  # noqa: S105 -- of made-up users, and never in production


class Command(BaseCommand):
    """Creates made-up users; refused in production."""

    help = "Create made-up users with sessions and events, to try the service with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("users", type=int, nargs="?", default=50)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("Not in production: the password of these users is public.")
        if options["users"] < 1:
            raise CommandError("Ask for at least one user.")
        with Progress("users", options["users"], self.stderr) as progress:
            made = seed_demo_users(options["users"], password=PASSWORD, on_batch=progress.advance)
        self.stdout.write(f"{made} users created; each has the password {PASSWORD}")
