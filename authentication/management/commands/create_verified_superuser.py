"""Creates a superuser with a verified address."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import ValidationFailed
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import clean_email


class Command(BaseCommand):
    """Reads the password from the terminal or standard input: other users see command lines."""

    help = "Create a superuser with a verified address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else self._ask()
        try:
            AdministrationService.create_superuser(
                email=clean_email(options["email"]), password=password, client=ClientInfo()
            )
        except ValueError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except ValidationFailed as refusal:
            raise CommandError(
                " ".join(it for found in (refusal.errors or {}).values() for it in found)
            ) from None
        self.stdout.write("The account is created. Sign in at /admin/.")

    @staticmethod
    def _ask() -> str:
        try:
            password, again = getpass.getpass("Password: "), getpass.getpass("Password again: ")
        except EOFError:
            raise CommandError("There is no terminal to ask on. Use --password-stdin.") from None
        if password != again:
            raise CommandError("The two passwords are not the same.")
        return password
