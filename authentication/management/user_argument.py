"""The argument that names a user."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from authentication.exceptions import NotFound
from authentication.models import User
from authentication.services.administration import AdministrationService


def add_user_argument(parser: CommandParser) -> None:
    """Let a command take a user."""
    parser.add_argument("person", help="an email address or a username")


def find_user(options: dict[str, Any]) -> User:
    """Return the user that a command's argument names; raises CommandError if there is none."""
    try:
        return AdministrationService.find(options["person"])
    except (NotFound, UnicodeEncodeError):
        raise CommandError(
            f"No account has the address or username {options['person']!r}."
        ) from None
