"""Unlocks an account."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.user_argument import add_user_argument, find_user
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService


class Command(BaseCommand):
    """Ends the lock after too many wrong passwords."""

    help = "Unlock an account, so that its user can sign in at once."

    def add_arguments(self, parser: CommandParser) -> None:
        add_user_argument(parser)
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        by, person = ActedBy.command(operator_of(options)), find_user(options)
        AdministrationService.unlock(person, by=by)
        self.stdout.write(f"{person.username} may sign in.")
