"""The options that name an account: --id, --email or --username."""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from authentication.exceptions import NotFound
from authentication.models import User
from authentication.services.administration import AdministrationService


def add_account_options(parser: CommandParser) -> None:
    """Let a command take an account by its id, address or username."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--id", type=uuid.UUID, help="the account's id")
    who.add_argument("--email", help="the account's address")
    who.add_argument("--username", help="the account's username")


def find_account(options: dict[str, Any]) -> User:
    """Return the account that the options name; raises CommandError if there is none."""
    try:
        if options.get("id"):
            return AdministrationService.find_by_id(uuid.UUID(str(options["id"])))
        return AdministrationService.find(options.get("email") or options["username"] or "")
    except (NotFound, ValueError):
        raise CommandError("There is no such account.") from None
