"""Says why an account is locked, and what ends the lock."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.services import LockExplanationService
from authentication.utils.client import ClientInfo


class Command(BaseCommand):
    """Prints the locks that stand, and the failures that led to the last one."""

    help = "Say why an address or username is locked: failures with times and networks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="an address or username; it may have no account")
        add_operator_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = LockExplanationService.explain(
                options["person"], operator=operator_of(options), client=ClientInfo()
            )
        except UnicodeEncodeError:
            raise CommandError("This is no address or username.") from None
        for lock in found.locks:
            self.stdout.write(f"Locked: {lock.what}, until {lock.until:%Y-%m-%d %H:%M:%S} UTC.")
        if not found.locks:
            self.stdout.write("Nothing is locked now.")
        if found.locked_at:
            self.stdout.write(f"The last lock was recorded at {found.locked_at:%Y-%m-%d %H:%M:%S}.")
        for it in found.events:
            self.stdout.write(
                f"{it.at:%Y-%m-%d %H:%M:%S}  {it.event:<16}  {it.network:<24}  {it.reason}"
            )
        if found.locks:
            self.stdout.write(
                "A lock ends by itself at its time. Before, a password reset ends it for the device"
                " that does it, and unlock_account, for an account, everywhere."
            )
