"""Signs out one user or all users."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import NotFound
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.progress import Progress
from authentication.management.user_argument import find_user
from authentication.models import User
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService


class Command(BaseCommand):
    """Ends sessions, those of the admin too, and voids open links; all are refused at once."""

    help = (
        "Sign out a user or all users on every device, void their open links and make their devices"
        " unknown (after a leaked key, or a restore)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", nargs="?", help="an email address or a username")
        parser.add_argument(
            "--session", metavar="ID", help="sign out this device alone; list_sessions has the ids"
        )
        parser.add_argument("--everybody", action="store_true", help="sign out all users")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["person"]) == options["everybody"]:
            raise CommandError("Name one user, or use --everybody.")
        if options["everybody"] and options["session"]:
            raise CommandError("--session is for one user.")
        if options["session"]:
            ended = _end_one(find_user(options), options["session"], _by(options))
        elif options["person"]:
            ended = AdministrationService.end_sessions(find_user(options), by=_by(options))
        else:
            by, total = _by(options), AdministrationService.rows_to_revoke()
            with Progress("rows", total, self.stderr) as progress:
                ended = AdministrationService.end_every_session(by=by, on_batch=progress.advance)
        self.stdout.write(f"{ended} session(s) ended.")


def _by(options: dict[str, Any]) -> ActedBy:
    return ActedBy.command(operator_of(options))


def _end_one(user: User, text: str, by: ActedBy) -> int:
    try:
        session = AdministrationService.find_session(user, uuid.UUID(text))
    except (ValueError, NotFound):
        raise CommandError(f"The user is not signed in with the session {text!r}.") from None
    AdministrationService.end_session(session, by=by)
    return 1
