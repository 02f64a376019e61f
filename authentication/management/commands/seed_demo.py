"""Fills a database with made-up users."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from authentication.management.demo_data import seed_demo_users
from authentication.management.demo_rows import TABLES
from authentication.management.demo_world import seed_demo_world
from authentication.management.progress import Progress

PASSWORD = "Demonstration-7"  # noqa: S105 -- of made-up users, and never in production


class Command(BaseCommand):
    """Creates made-up users; refused in production."""

    help = "Create made-up users with sessions and events, to try the service with."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("users", type=int, nargs="?", default=50)
        parser.add_argument(
            "--people",
            type=int,
            metavar="N",
            help="instead, N people with what years of use leave: 19 rows each (PostgreSQL)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("Not in production: the password of these users is public.")
        is_world = options["people"] is not None
        count = options["people"] if is_world else options["users"]
        if count < 1:
            raise CommandError("Ask for at least one user.")
        if is_world:
            self._seed_world(count)
        else:
            with Progress("users", count, self.stderr) as progress:
                seed_demo_users(count, password=PASSWORD, on_batch=progress.advance)
        self.stdout.write(f"{count} users created; each has the password {PASSWORD}")

    def _seed_world(self, people: int) -> None:
        if connection.vendor != "postgresql":
            raise CommandError(
                "--people needs PostgreSQL: set DATABASE_URL. On SQLite: seed_demo 500"
            )
        with Progress("tables", len(TABLES), self.stderr) as progress:
            seed_demo_world(people, password=PASSWORD, on_table=progress.advance)
