"""Signs out one user or all users."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.progress import Progress
from authentication.management.user_argument import find_user
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Ends sessions, those of the admin too, and voids open links; all are refused at once."""

    help = (
        "Sign out a user or all users on every device, void their open links and make their devices"
        " unknown (after a leaked key, or a restore)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", nargs="?", help="an email address or a username")
        parser.add_argument("--everybody", action="store_true", help="sign out all users")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["person"]) == options["everybody"]:
            raise CommandError("Name one user, or use --everybody.")
        if options["person"]:
            ended = AdministrationService.end_sessions(
                find_user(options), actor=None, operator=operator_of(options), client=ClientInfo()
            )
        else:
            operator, total = operator_of(options), AdministrationService.rows_to_revoke()
            with Progress("rows", total, self.stderr) as progress:
                ended = AdministrationService.end_every_session(
                    operator=operator, client=ClientInfo(), on_batch=progress.advance
                )
        self.stdout.write(f"{ended} session(s) ended.")
