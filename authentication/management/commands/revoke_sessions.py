"""Signs a person, or everybody, out."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.people import person_of
from authentication.management.progress import Progress
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Ends sessions; their tokens are dead at once."""

    help = "Sign a person out on every device, or everybody (after a leak of keys, or a restore)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", nargs="?", help="an email address or a username")
        parser.add_argument("--everybody", action="store_true", help="sign out all people")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["person"]) == options["everybody"]:
            raise CommandError("Name one person, or say --everybody.")
        if options["person"]:
            ended = AdministrationService.end_sessions(
                person_of(options), actor=None, client=ClientInfo()
            )
        else:
            with Progress(
                "sessions", AdministrationService.live_sessions(), self.stderr
            ) as progress:
                ended = AdministrationService.end_every_session(
                    client=ClientInfo(), on_batch=progress.advance
                )
        self.stdout.write(f"{ended} session(s) ended.")
