"""Does for one account what staff do with a button of the admin."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authentication.exceptions import Problem
from authentication.management.operator_arguments import add_operator_argument, operator_of
from authentication.management.user_argument import add_user_argument, find_user
from authentication.services.acted_by import ActedBy
from authentication.services.admin_pages import STAFF_ACTIONS
from authentication.utils.identifiers import clean_email

# They have commands of their own: set_role and remove_second_factor.
_ELSEWHERE = {"role", "remove-factor", "confirm-removal", "cancel-removal"}
_ACTIONS = {name: it for name, it in STAFF_ACTIONS.items() if name not in _ELSEWHERE}


class Command(BaseCommand):
    """Does one thing of the page of a person in the admin."""

    help = "Do for one account what staff do with a button of the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=_ACTIONS)
        add_user_argument(parser)
        parser.add_argument("--new-email", help="the address, for correct-address")
        parser.add_argument("--text", help="the text, for note")
        parser.add_argument("--reason", help="why, for the audit log")
        add_operator_argument(parser)
        parser.epilog = " ".join(f"{name}: {it.meaning}" for name, it in _ACTIONS.items())

    def handle(self, *args: Any, **options: Any) -> None:
        action, reason = _ACTIONS[options["action"]], options["reason"] or ""
        if action.needs_reason and not reason.strip():
            raise CommandError("Please give a --reason.")
        given = [
            *([_address(options)] if action.asks_address else []),
            *([options["text"] or ""] if action.asks_note else []),
        ]
        operator, person = operator_of({**options, "reason": None}), find_user(options)
        try:
            action.act(person, *given, by=ActedBy.command(operator, reason=reason))
        except Problem as refusal:
            raise CommandError(str(refusal.detail)) from None
        self.stdout.write(f"{person.username}: {action.done}")


def _address(options: dict[str, Any]) -> str:
    try:
        return clean_email(options["new_email"] or "")
    except ValueError as error:
        raise CommandError(f"--new-email: {error}") from None
