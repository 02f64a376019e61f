"""Invites a person by mail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.services.acted_by import ActedBy
from authentication.services.invitations import InvitationService, checked_invited


class Command(BaseCommand):
    """The person gets a link to choose a password, or the mail that they have an account."""

    help = "Invite a person by mail; the link works for seven days."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")
        parser.add_argument("--revoke", action="store_true", help="take the invitation back")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        by = ActedBy.command(operator_of(options))
        try:
            person = checked_invited(options["email"], options["first_name"], options["last_name"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        if options["revoke"]:
            if not InvitationService.revoke_to(person.email, by=by):
                raise CommandError(f"{person.email} has no open invitation.")
            self.stdout.write(f"The invitation of {person.email} is taken back.")
            return
        InvitationService.invite(person, by=by)
        self.stdout.write(f"{person.email} is invited.")
