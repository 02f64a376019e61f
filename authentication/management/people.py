"""What the commands about one person share."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from authentication.exceptions import NotFound
from authentication.models import User
from authentication.services.administration import AdministrationService


def add_person(parser: CommandParser) -> None:
    """Let a command be told a person."""
    parser.add_argument("person", help="an email address or a username")


def person_of(options: dict[str, Any]) -> User:
    """Return the person a command was told; raises CommandError for nobody."""
    try:
        return AdministrationService.find(options["person"])
    except (NotFound, UnicodeEncodeError):
        raise CommandError(f"Nobody has the address or username {options['person']!r}.") from None
